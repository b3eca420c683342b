import FileSessions
import Foundation
import GRDB
import Ingestion
import SQLiteLedger
import Testing
import Workspace

@Suite("The ledger on SQLite")
struct LedgerTests {
  private let directory = Directory()

  /// A state directory, removed with the last reference to it.
  private final class Directory: Sendable {
    let path = NSTemporaryDirectory() + "/moontide-ledger-\(UUID().uuidString)"
    init() { try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  private func open() throws -> SQLiteLedger {
    try SQLiteLedger(directory: directory.path, clock: WallClock { Timestamp(milliseconds: 1_000) })
  }

  private func job(_ path: String, phase: Phase = .decided) throws -> Job {
    Job(
      key: JobKey(profile: "local", recipe: "r", path: try ProjectPath(path)), relative: path, phase: phase,
      stamp: FileStamp(size: 3, modified: -5, inode: .max), recipeVersion: "v")
  }

  private static let md5 = MD5Digest(bytes: [UInt8](repeating: 9, count: 16))

  /// A job with a value in every field.
  private func fullJob() throws -> Job {
    var job = try job("sub/ü \"quoted\".md", phase: .completed)
    job.request = NewFile(
      filename: "n", mimeType: "text/plain", sizeBytes: 3, purpose: Purpose(rawValue: "tomorrow's"))
    job.idempotencyKey = "key"
    job.session = FileSession(
      id: "fil_1", filename: "n", mimeType: "text/plain", sizeBytes: 3, status: .completed,
      createdAt: Timestamp(milliseconds: 1), expiresAt: nil, completedAt: Timestamp(milliseconds: 2))
    job.target = .presigned(url: "https://127.0.0.1/x?y=%20", headers: ["if-none-match": "*"])
    job.md5 = Self.md5
    job.reason = "reason"
    job.failure = Failure(
      .script, "m", handler: "rename", trace: "a\nb", status: 400, type: "t", code: "c", param: "p",
      requestID: "req_1")
    job.dueAt = Timestamp(milliseconds: 77)
    job.step = AfterStep()
    job.step?.action = .move(to: "d")
    job.step?.destination = "d/n"
    job.opens = 2
    job.changes = 1
    return job
  }

  @Test("tells the stamps of what is done in the order that is asked for, whatever the names")
  func doneStamps() async throws {
    let ledger = try open()
    let names = [
      "a.md", "sub/\"quoted\".md", "back\\slash", "line\n\u{1}\u{1F}", "ü/日本.md", "e\u{301}", "\u{7F}",
    ]
    for (index, name) in names.enumerated() {
      var job = try job(name, phase: .done)
      job.stamp.size = Int64(index)
      _ = try await ledger.record(LedgerChange(job))
    }
    _ = try await ledger.record(LedgerChange(try job("skipped.md", phase: .skipped)))
    var paths = try names.reversed().map { try ProjectPath($0) }
    paths.insert(try ProjectPath("skipped.md"), at: 2)
    paths.append(try ProjectPath("unknown.md"))
    let stamps = try await ledger.doneStamps(profile: "local", recipe: "r", paths: paths)
    #expect(stamps.map { $0?.size } == [6, 5, nil, 4, 3, 2, 1, 0, nil])
    #expect(stamps.last(where: { $0 != nil }) == FileStamp(size: 0, modified: -5, inode: .max))
    #expect(
      try await ledger.doneStamps(profile: "lightfield", recipe: "r", paths: paths).allSatisfy { $0 == nil })
    #expect(try await ledger.doneStamps(profile: "local", recipe: "r", paths: []).isEmpty)
    #expect(try await ledger.jobs(profile: "local", recipe: "r", paths: paths).count == names.count + 1)
  }

  @Test("understands a failure that an earlier version recorded")
  func olderFailure() throws {
    let text = #"{"code":"conflict","kind":"service","message":"No.","status":409}"#
    let failure = try JSONDecoder().decode(Failure.self, from: Data(text.utf8))
    #expect(failure == Failure(.service, "No.", status: 409, code: "conflict"))
    #expect(failure.report == "No. (409, conflict)")
  }

  @Test("gives back every field of a job, also after it was opened anew")
  func roundTrip() async throws {
    let job = try fullJob()
    var ledger: SQLiteLedger? = try open()
    let recorded = try await ledger?.record(LedgerChange(job))
    ledger = nil
    let again = try await open().jobs(profile: "local", recipe: "r", paths: [job.key.path])
    #expect(again[job.key.path] == recorded)
    var expected = job
    expected.revision = 1
    #expect(recorded == expected)
  }

  @Test("tells in which directories Moontide put files, the project itself among them")
  func places() async throws {
    let ledger = try open()
    for path in ["summary.json", "out/a.md", "out/b.md", "out/deep er/c"] {
      let stamp = FileStamp(size: 1, modified: 2, inode: 3)
      try await ledger.leave(
        Trace(path: try ProjectPath(path), stamp: stamp, md5: Self.md5), profile: "local")
    }
    let places = try await ledger.placesOfTraces(profile: "local")
    #expect(Set(places.map(\.string)) == [".", "out", "out/deep er"])
    #expect(try await ledger.placesOfTraces(profile: "other").isEmpty)
  }

  @Test("refuses a change over an older revision, and leaves all of its batch undone")
  func compareAndSet() async throws {
    let ledger = try open()
    let first = try await ledger.record(LedgerChange(try job("a.md")))
    var second = first
    second.phase = .opened
    _ = try await ledger.record(LedgerChange(second))
    var late = first
    late.phase = .failed
    await #expect { try await ledger.record([LedgerChange(try job("b.md")), LedgerChange(late)]) } throws: {
      ($0 as? LedgerError)?.code == .stale
    }
    await #expect { try await ledger.record(LedgerChange(try job("a.md"))) } throws: {
      ($0 as? LedgerError)?.code == .stale
    }
    let paths = [try ProjectPath("a.md"), try ProjectPath("b.md")]
    let jobs = try await ledger.jobs(profile: "local", recipe: "r", paths: paths)
    #expect(jobs.count == 1 && jobs[paths[0]]?.phase == .opened)
  }

  @Test("lists what is under way, and keeps profiles and recipes apart")
  func unfinished() async throws {
    let ledger = try open()
    for phase in Phase.allCases {
      _ = try await ledger.record(LedgerChange(try job(phase.rawValue, phase: phase)))
    }
    var stepLeft = try job("step", phase: .failed)
    stepLeft.step = AfterStep()
    _ = try await ledger.record(LedgerChange(stepLeft))
    let unfinished = try await ledger.unfinished(profile: "local", recipe: "r").map(\.key.path.string)
    #expect(unfinished == ["decided", "opened", "uploaded", "completed", "step"])
    #expect(try await ledger.unfinished(profile: "lightfield", recipe: "r").isEmpty)
    #expect(try await ledger.unfinished(profile: "local", recipe: "other").isEmpty)
  }

  @Test("remembers what was sent and what was written, in the same instant as the job")
  func versionsAndTraces() async throws {
    let ledger = try open()
    let path = try ProjectPath("moved/a.md")
    let trace = try Trace(
      path: path, stamp: FileStamp(size: 3, modified: 4, inode: 5), md5: Self.md5, origin: ProjectPath("a.md")
    )
    let sent = SentVersion(size: 3, md5: Self.md5, sessionID: "fil_1")
    let job = try await ledger.record(LedgerChange(try job("a.md"), sent: sent, trace: trace))
    #expect(try await ledger.sentVersions(of: job.key) == [sent])
    #expect(try await ledger.traces(profile: "local", paths: [path]) == [path: trace])
    #expect(try await ledger.traces(profile: "lightfield", paths: [path]).isEmpty)
  }

  @Test("has one owner, who is named to others; reading needs no ownership")
  func owner() async throws {
    let ledger = try open()
    let job = try await ledger.record(LedgerChange(try job("a.md")))
    #expect { try open() } throws: { error in
      let error = error as? LedgerError
      return error?.code == .owned && error?.message.contains("\(getpid())") == true
    }
    let reader = try #require(try LedgerReader(directory: directory.path))
    let stories = try await reader.stories(of: job.key.path)
    #expect(stories.map(\.job) == [job])
    #expect(stories.first?.history.map(\.phase) == ["decided"])
    withExtendedLifetime(ledger) {}
  }

  @Test("is free again once its owner has gone")
  func ownerGone() throws {
    var ledger: SQLiteLedger? = try open()
    #expect(ledger != nil)
    ledger = nil
    #expect(throws: Never.self) { try open() }
  }

  @Test("leaves a damaged or a newer database as it is, and says so", arguments: ["damaged", "newer"])
  func refuses(kind: String) async throws {
    // Nothing is written to it that would keep it open for a moment longer.
    _ = try open()
    let file = directory.path + "/ledger.sqlite"
    if kind == "damaged" {
      try Data("this is no database, but it is long enough to be looked at".utf8).write(
        to: URL(fileURLWithPath: file))
    } else {
      let queue = try DatabaseQueue(path: file)
      try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99: tomorrow')") }
      try queue.close()
    }
    let before = try Data(contentsOf: URL(fileURLWithPath: file))
    #expect { try open() } throws: { error in
      (error as? LedgerError)?.message.contains(kind == "damaged" ? "damaged" : "newer") == true
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
  }
}
