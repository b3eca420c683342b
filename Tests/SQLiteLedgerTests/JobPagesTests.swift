import FileSessions
import Foundation
import Ingestion
import SQLiteLedger
import Synchronization
import Testing
import Workspace

/// A state directory, removed with the last reference to it.
private final class StateDirectory: Sendable {
  let path = NSTemporaryDirectory() + "/moontide-jobs-\(UUID().uuidString)"
  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func ledger(at milliseconds: Int64 = 1_000) throws -> SQLiteLedger {
    try SQLiteLedger(directory: path, clock: WallClock { Timestamp(milliseconds: milliseconds) })
  }

  func reader() throws -> LedgerReader { try #require(try LedgerReader(directory: path)) }

  func desk() throws -> LedgerDesk {
    try LedgerDesk(directory: path, clock: WallClock { Timestamp(milliseconds: 5_000) })
  }
}

private func job(_ path: String, _ phase: Phase, recipe: String = "r", profile: String = "local") throws
  -> Job
{
  var job = Job(
    key: JobKey(profile: profile, recipe: recipe, path: try ProjectPath(path)), relative: path, phase: phase,
    stamp: FileStamp(size: 3, modified: 5, inode: 7), recipeVersion: "v")
  if phase == .failed { job.failure = Failure(.service, "The purpose is wrong", code: "invalid_purpose") }
  if phase == .skipped { job.reason = "Too small" }
  return job
}

@Suite("Jobs of a ledger, page by page")
struct JobPagesTests {
  private let directory: StateDirectory

  init() throws { directory = try StateDirectory() }

  private func paths(_ selection: JobSelection) async throws -> [String] {
    try await directory.reader().jobs(selection, limit: 100).entries.map(\.job.key.path.string)
  }

  @Test(
    "come in the order in which they were recorded, each once, whatever the size of a page",
    arguments: [1, 2, 3, 7])
  func pages(size: Int) async throws {
    let ledger = try directory.ledger()
    let names = (1...5).map { "\($0).md" }
    for name in names { _ = try await ledger.record(LedgerChange(try job(name, .done))) }
    let reader = try directory.reader()
    var seen: [String] = []
    var position: Int64? = 0
    while let start = position {
      let page = try await reader.jobs(JobSelection(), after: start, limit: size)
      #expect(page.entries.count <= size)
      seen += page.entries.map(\.job.key.path.string)
      position = page.next
    }
    #expect(seen == names)
  }

  @Test("are those that fit everything that is asked")
  func filters() async throws {
    var ledger: SQLiteLedger? = try directory.ledger(at: 1_000)
    for job in [
      try job("done.md", .done), try job("failed.md", .failed), try job("skipped.md", .skipped, recipe: "s"),
    ] { _ = try await ledger?.record(LedgerChange(job)) }
    ledger = nil
    _ = try await directory.ledger(at: 9_000).record(
      LedgerChange(try job("late.md", .failed, profile: "staging")))

    var selection = JobSelection()
    selection.phases = [.failed]
    try await expect(["failed.md", "late.md"], of: selection)
    selection.profile = "local"
    try await expect(["failed.md"], of: selection)

    selection = JobSelection()
    selection.profile = "staging"
    try await expect(["late.md"], of: selection)

    selection = JobSelection()
    selection.recipe = "s"
    try await expect(["skipped.md"], of: selection)

    selection = JobSelection()
    for reason in ["invalid_purpose", "service", "PURPOSE is"] {
      selection.reason = reason
      try await expect(["failed.md", "late.md"], of: selection)
    }
    selection.reason = "too small"
    try await expect(["skipped.md"], of: selection)

    selection = JobSelection()
    selection.since = Timestamp(milliseconds: 9_000)
    try await expect(["late.md"], of: selection)

    selection = JobSelection()
    selection.paths = ["done.md", "none.md"]
    try await expect(["done.md"], of: selection)
  }

  private func expect(_ expected: [String], of selection: JobSelection) async throws {
    let found = try await paths(selection)
    #expect(found == expected, "\(selection)")
  }

  @Test("are counted by phase, and failures by their reason")
  func status() async throws {
    let ledger = try directory.ledger()
    for job in [
      try job("a", .done), try job("b", .done), try job("c", .failed), try job("d", .opened),
      try job("e", .skipped, recipe: "s"),
    ] { _ = try await ledger.record(LedgerChange(job)) }
    let status = try await directory.reader().status(listed: 10)
    #expect(status.counts.map(\.recipe) == ["r", "s"])
    #expect(status.counts.first?.phases == [.done: 2, .failed: 1, .opened: 1])
    #expect(status.underWay.map(\.job.key.path.string) == ["d"])
    #expect(status.failures.map(\.code) == ["invalid_purpose"])
    #expect(status.failures.first?.count == 1 && status.failures.first?.path == "c")
    #expect(status.failures.first?.kind == .service && status.failures.first?.reason == "invalid_purpose")
  }

  @Test("are selected by the kind of their failure, and then by all of what it has in common with others")
  func kinds() async throws {
    let ledger = try directory.ledger()
    let failures = [
      Failure(.rejected, "slow"), Failure(.rejected, "too slow"), Failure(.service, "No.", code: "slow"),
      Failure(.service, "Odd."),
    ]
    for (name, failure) in zip(["a", "b", "c", "d"], failures) {
      var job = try job(name, .failed)
      job.failure = failure
      _ = try await ledger.record(LedgerChange(job))
    }
    for (kind, reason, expected) in [
      (Failure.Kind.rejected, "slow", ["a"]), (.rejected, "too slow", ["b"]), (.service, "slow", ["c"]),
      (.service, "service", ["d"]), (.rejected, nil, ["a", "b"]), (nil, "slow", ["a", "b", "c"]),
      (nil, "service", ["c", "d"]),
    ] as [(Failure.Kind?, String?, [String])] {
      var selection = JobSelection()
      (selection.kind, selection.reason) = (kind, reason)
      try await expect(expected, of: selection)
    }
  }

  @Test("are counted as files, and parts apart from them")
  func parts() async throws {
    let ledger = try directory.ledger()
    let md5 = MD5Digest(bytes: [UInt8](repeating: 1, count: 16))
    for path in ["a", "b"] {
      _ = try await ledger.record(LedgerChange(try job(path, .done)))
      for number in 1...3 {
        var part = try job("\(path)/\(number)", number == 1 ? .failed : .done)
        part.preparation = Preparation(origin: md5)
        part.preparation?.whole = try ProjectPath(path)
        _ = try await ledger.record(LedgerChange(part))
      }
    }
    let count = try #require(try await directory.reader().status(listed: 10).counts.first)
    #expect(count.phases == [.done: 2])
    #expect(count.parts == 6 && count.filesInParts == 2)
  }

  @Test("are forgotten with all that was sent for them")
  func forgetting() async throws {
    let ledger = try directory.ledger()
    let sent = SentVersion(
      size: 3, md5: MD5Digest(bytes: [UInt8](repeating: 1, count: 16)), sessionID: "fil_1")
    let done = try await ledger.record(LedgerChange(try job("a", .done), sent: sent))
    _ = try await ledger.record(LedgerChange(try job("b", .done)))
    let firstSent = try await directory.reader().firstSent(JobSelection())
    #expect(firstSent == done.key)
    try await ledger.forget([done.key])
    #expect(try await paths(JobSelection()) == ["b"])
    #expect(try await ledger.sentVersions(of: done.key).isEmpty)
    #expect(try await directory.reader().stories(of: done.key.path).isEmpty)
  }

  @Test("what is asked of the owner waits for it, oldest first, until it is settled")
  func requests() async throws {
    let ledger = try directory.ledger()
    var selection = JobSelection()
    selection.phases = [.failed]
    selection.since = Timestamp(milliseconds: 77)
    let asked: [JobRequest] = [.retry(selection), .forget(JobSelection(), sentToo: false)]
    for request in asked { try await directory.desk().leave(request) }
    let open = try await ledger.requests().open
    #expect(open.map(\.request) == asked)
    try await ledger.settle(request: try #require(open.first).id)
    #expect(try await ledger.requests().open.map(\.request) == [.forget(JobSelection(), sentToo: false)])
  }

  @Test("a pause covers what it names, and ends")
  func pauses() async throws {
    let ledger = try directory.ledger()
    let desk = try directory.desk()
    try await desk.pause(profile: nil, recipe: "r")
    let requests = try await ledger.requests()
    #expect(requests.pause(profile: "any", recipe: "r")?.since == Timestamp(milliseconds: 5_000))
    #expect(requests.pause(profile: "any", recipe: "s") == nil)
    #expect(try await desk.resume(profile: "other", recipe: nil) == 0)
    #expect(try await desk.resume(profile: nil, recipe: nil) == 1)
    #expect(try await ledger.requests().pauses.isEmpty)
  }

  @Test("who owns a ledger can be asked without standing in anybody's way")
  func holder() throws {
    #expect(LedgerReader.holder(in: directory.path) == nil)
    var ledger: SQLiteLedger? = try directory.ledger(at: 4_000)
    guard case .known(let owner)? = LedgerReader.holder(in: directory.path) else {
      Issue.record("Nobody is known to hold it")
      return
    }
    #expect(owner.pid == getpid() && owner.since == Timestamp(milliseconds: 4_000))
    withExtendedLifetime(ledger) {}
    ledger = nil
    #expect(LedgerReader.holder(in: directory.path) == nil)
    #expect(throws: Never.self) { try directory.ledger() }
  }
}

@Suite("A ledger on another machine")
struct LedgerCopyTests {
  private let here: StateDirectory
  private let there: StateDirectory

  init() throws {
    here = try StateDirectory()
    there = try StateDirectory()
  }

  private func fill() async throws {
    let ledger = try here.ledger()
    let md5 = MD5Digest(bytes: [UInt8](repeating: 1, count: 16))
    let sent = SentVersion(size: 3, md5: md5, sessionID: "fil_1")
    let path = try ProjectPath("moved/ü \"q\".md")
    let trace = Trace(path: path, stamp: FileStamp(size: 3, modified: -5, inode: .max), md5: md5)
    let done = try await ledger.record(LedgerChange(try job("a.md", .done), sent: sent, trace: trace))
    _ = try await ledger.record(LedgerChange(try job("b.md", .failed)))
    try await ledger.recordOnce([0, 255, 10], of: done.key, label: "x")
    try await RecipeValues(in: ledger, profile: "local", recipe: "r").set("k", [1, 2])
  }

  private func lines() async throws -> [String] {
    let lines = Mutex<[String]>([])
    let count = try await here.reader().export(at: Timestamp(milliseconds: 1)) { line in
      lines.withLock { $0.append(line) }
    }
    #expect(count == 2)
    return lines.withLock { $0 }
  }

  private func load(_ lines: [String], into ledger: SQLiteLedger) async throws -> Int? {
    let rest = Mutex(lines[...])
    return try await ledger.load { rest.withLock { $0.popFirst() } }
  }

  @Test("is the same, and importing it twice changes nothing")
  func roundTrip() async throws {
    try await fill()
    let lines = try await lines()
    let ledger = try there.ledger()
    #expect(try await load(lines, into: ledger) == 2)
    #expect(try await load(lines, into: ledger) == nil)
    let copy = Mutex<[String]>([])
    _ = try await there.reader().export(at: Timestamp(milliseconds: 1)) { line in
      copy.withLock { $0.append(line) }
    }
    #expect(copy.withLock { $0 } == lines)
    let stories = try await there.reader().stories(of: ProjectPath("a.md"))
    #expect(stories.first?.history.count == 1)
  }

  @Test("from an older version has what its failures have in common")
  func older() async throws {
    try await fill()
    let lines = try await lines().map { line in
      line.replacing(#""failure_reason":"invalid_purpose","#, with: "")
    }
    #expect(!lines.contains { $0.contains("failure_reason") })
    let ledger = try there.ledger()
    #expect(try await load(lines, into: ledger) == 2)
    #expect(try await there.reader().status(listed: 10).failures.map(\.reason) == ["invalid_purpose"])
  }

  @Test("is not mixed with another, and not taken from a file that is cut off or something else")
  func refusals() async throws {
    try await fill()
    let lines = try await lines()
    let ledger = try there.ledger()
    let withoutOne: [String] = lines.filter { line in !line.contains("b.md") }
    let wrongs: [[String]] = [
      Array(lines.dropLast()), Array(lines.dropFirst()), withoutOne, ["{}"], [],
    ]
    for wrong in wrongs {
      await #expect(throws: LedgerError.self) { try await load(wrong, into: ledger) }
      #expect(try await there.reader().jobs(JobSelection(), limit: 9).entries.isEmpty)
    }
    _ = try await ledger.record(LedgerChange(try job("other.md", .done)))
    await #expect(throws: LedgerError.self) { try await load(lines, into: ledger) }
    #expect(try await there.reader().jobs(JobSelection(), limit: 9).entries.count == 1)
  }
}
