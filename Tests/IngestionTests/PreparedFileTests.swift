import FileSessions
import Foundation
import Ingestion
import SQLiteLedger
import Testing
import Workspace

@Suite("A file that something else is sent for")
struct PreparedFileTests {
  /// Makes a part of each line of a file; of one line without a break, one file in its place.
  private static func ruling(in project: TemporaryProject) -> @Sendable (Candidate) -> Ruling {
    { candidate in
      guard let workspace = try? project.workspace(), let file = try? workspace.open(candidate.path),
        let bytes = try? Self.content(of: file),
        let work = try? WorkDirectory(of: candidate.key, in: workspace).make()
      else { return .reject(reason: "cannot be prepared") }
      let text = String(decoding: bytes, as: UTF8.self)
      let lines = text.split(separator: "\n")
      let parts = lines.enumerated().compactMap { index, line -> PreparedPart? in
        let name = text.contains("\n") ? "pages/\(index + 1).txt" : "whole.txt"
        guard let path = try? ProjectPath(name), let info = try? work.write(path, line.utf8) else {
          return nil
        }
        let content = PreparedContent(.work(name), stamp: info.stamp)
        return PreparedPart(name: name, wishes: Wishes(content: content))
      }
      if !text.contains("\n"), let only = parts.first { return .send(only.wishes) }
      return .sendParts(parts)
    }
  }

  private static func content(of file: OpenFile) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(try file.stamp().size))
    let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
    return Array(bytes.prefix(count))
  }

  private func recipe(
    _ project: TemporaryProject, version: String = "1", after: AfterAction? = nil,
    afterFailure: AfterAction? = nil, sendsContentOnce: Bool = false, stepFaults: Int = 0
  ) throws -> SwiftRecipe {
    try SwiftRecipe(
      version: version, root: "in", after: after, afterFailure: afterFailure, prepares: true,
      sendsContentOnce: sendsContentOnce, stepFaults: stepFaults, ruling: Self.ruling(in: project))
  }

  private func sent(by rig: Rig) async throws -> [String] {
    var sent: [String] = []
    for session in try await rig.sessions() where session.status == .completed {
      sent.append("\(session.filename): \(try await rig.content(of: session))")
    }
    return sent.sorted()
  }

  private func work(in project: TemporaryProject) -> [String] {
    let paths = FileManager.default.enumerator(atPath: project.state + "/work")?.allObjects as? [String]
    return (paths ?? []).filter { $0.hasSuffix(".txt") }
  }

  @Test("is sent as what was made of it, moved itself, and known again when it was only touched")
  func inPlace() async throws {
    let project = try TemporaryProject()
    try project.write("one line", to: "in/a.md")
    let rig = try await Rig(project)
    let first = try await rig.run(try recipe(project, after: .copy(to: "sent")))
    #expect(first.summary.sent == 1)
    #expect(try await sent(by: rig) == ["whole.txt: one line"])
    #expect(project.has("sent/a.md"))
    #expect(work(in: project).isEmpty)

    try project.touch("in/a.md")
    let again = try recipe(project)
    let second = try await rig.run(again)
    #expect(second.summary.touched == 1)
    #expect(again.asked.withLock { $0 }.isEmpty)
  }

  @Test("goes in parts, each a session of its own; it is done, and moved once, when all of them are")
  func parts() async throws {
    let project = try TemporaryProject()
    try project.write("first\nsecond\n", to: "in/sub/a.md")
    let rig = try await Rig(project)
    let recipe = try recipe(project, after: .move(to: "sent"))
    let first = try await rig.run(recipe)
    #expect(first.summary.sent == 1)
    #expect(first.summary.bytes == 11)
    #expect(try await sent(by: rig) == ["1.txt: first", "2.txt: second"])
    #expect(recipe.completions.withLock { $0 } == ["in/sub/a.md/pages/1.txt", "in/sub/a.md/pages/2.txt"])
    #expect(project.has("sent/sub/a.md") && !project.has("in/sub/a.md"))
    #expect(work(in: project).isEmpty)
    #expect(try await rig.run(try self.recipe(project)).summary.found == 0)
  }

  @Test("fails as a whole when a part does, and later sends only the parts that were not sent")
  func partFails() async throws {
    let project = try TemporaryProject()
    try project.write("first\nsecond\n", to: "in/a.md")
    let rig = try await Rig(project)
    let broken = try recipe(project, afterFailure: .move(to: "dead"))
    let first = try await rig.run(
      broken,
      wrap: { base in
        FaultyService(
          base, [.create: [nil, .refused(ServiceError(.unprocessableContent, "no", status: 422))]])
      })
    #expect(first.summary.failed == 1)
    #expect(broken.failures.withLock { $0 } == ["in/a.md"])
    #expect(project.has("dead/a.md"))
    let failure = try #require(
      first.events.compactMap {
        if case .failed(let path, let failure, _) = $0, path.string == "in/a.md" { failure } else { nil }
      }.first)
    #expect(failure.message.hasPrefix("1 of 2 parts failed; 2.txt: "))
    #expect(try await sent(by: rig) == ["1.txt: first"])

    try FileManager.default.moveItem(atPath: project.root + "/dead/a.md", toPath: project.root + "/in/a.md")
    let second = try await rig.run(try recipe(project, version: "2"))
    #expect(second.summary.sent == 1)
    #expect(try await sent(by: rig) == ["1.txt: first", "2.txt: second"])
    #expect(work(in: project).isEmpty)
  }

  @Test("has what follows on a part that was sent done, also when the file is given up meanwhile")
  func stepIsLeft() async throws {
    let project = try TemporaryProject()
    try project.write("first\nsecond\n", to: "in/a.md")
    let rig = try await Rig(project)
    _ = try await rig.run(
      try recipe(project, after: .copy(to: "sent"), stepFaults: 100),
      wrap: { FaultyService($0, [.create: [nil, .refused(ServiceError(.unreachable, "no answer"))]]) })
    #expect(try await sent(by: rig) == ["1.txt: first"])
    try FileManager.default.removeItem(atPath: project.root + "/in/a.md")
    let second = try await rig.run(try recipe(project, after: .copy(to: "sent"), stepFaults: 100))
    #expect(second.summary.failed == 1)
    let last = try recipe(project, after: .copy(to: "sent"))
    #expect(try await rig.run(last).summary.isClean)
    #expect(last.completions.withLock { $0 } == ["in/a.md/pages/1.txt"])
    let idle = try recipe(project, after: .copy(to: "sent"))
    #expect(try await rig.run(idle).summary.found == 0)
    #expect(try await sent(by: rig) == ["1.txt: first"])
    #expect(try await rig.sessions().allSatisfy { $0.status != .pending })
  }

  @Test(
    "counts as sent once all parts are, whatever fails afterwards and whatever the file and the recipe are then",
    arguments: ["1", "2"])
  func stepFails(version: String) async throws {
    let project = try TemporaryProject()
    try project.write("first\nsecond\n", to: "in/a.md")
    let rig = try await Rig(project)
    let first = try recipe(project, after: .copy(to: "sent"), sendsContentOnce: true, stepFaults: 100)
    #expect(try await rig.run(first).summary.stepsFailed == 1)
    try project.write("third\nfourth\n", to: "in/a.md")
    try project.write("first\nsecond\n", to: "in/b.md")
    let second = try recipe(project, version: version, after: .copy(to: "sent"), sendsContentOnce: true)
    #expect(try await rig.run(second).summary.skipped == 1)
    #expect(try await sent(by: rig) == ["1.txt: first", "1.txt: third", "2.txt: fourth", "2.txt: second"])
    #expect(second.completions.withLock { $0.count } == 4)
    #expect(work(in: project).isEmpty)
  }

  @Test(
    "is taken up after a death at any instant: each part sent once, nothing pending",
    arguments: [false, true])
  func dies(answerIsLost: Bool) async throws {
    var call = 0
    while true {
      call += 1
      let project = try TemporaryProject()
      try project.write("first\nsecond\n", to: "in/a.md")
      try project.write("single", to: "in/b.md")
      let rig = try await Rig(project)
      let point = CrashPoint(call: call, after: answerIsLost)
      _ = try await rig.run(try recipe(project, after: .move(to: "sent")), crash: point)
      guard point.wasReached else { break }
      let second = try await rig.run(try recipe(project, after: .move(to: "sent")))

      let note = "call \(call), answer lost: \(answerIsLost)"
      #expect(second.summary.isClean, "\(note)")
      #expect(try await sent(by: rig) == ["1.txt: first", "2.txt: second", "whole.txt: single"], "\(note)")
      #expect(try await rig.sessions().allSatisfy { $0.status != .pending }, "\(note)")
      #expect(project.has("sent/a.md") && project.has("sent/b.md"), "\(note)")
      #expect(work(in: project).isEmpty, "\(note)")
      let third = try await rig.run(try recipe(project))
      #expect(third.summary.found == 0, "\(note)")
    }
    #expect(call > 20)
  }

  @Test(
    "leaves no part open that a corrected recipe makes no more", arguments: [nil, "one line"], [false, true])
  func forsaken(text: String?, isLater: Bool) async throws {
    let project = try TemporaryProject()
    try project.write("first\nsecond\nthird\n", to: "in/a.md")
    let rig = try await Rig(project)
    // The second part is opened, and then the service is away.
    let away = ServiceError(.serviceUnavailable, "away")
    let first = try await rig.run(
      try recipe(project),
      wrap: {
        FaultyService($0, [.upload: [nil, .refused(away)]])
      })
    #expect(first.summary.stop != nil)
    let key = JobKey(profile: "local", recipe: "test", path: try ProjectPath("in/a.md"))
    let corrected = try SwiftRecipe(version: "2", root: "in", prepares: true) { _ in
      text == nil ? .skip(reason: nil) : .send(Wishes(filename: "whole.txt"))
    }
    if isLater {
      // The decision was recorded by a run that came no further.
      let ledger = try SQLiteLedger(directory: project.state, clock: .system)
      var whole = try #require(
        try await ledger.jobs(profile: "local", recipe: "test", paths: [key.path])[key.path])
      (whole.phase, whole.preparation, whole.recipeVersion) = (.skipped, nil, "1")
      _ = try await ledger.record(LedgerChange(whole))
    }
    let second = try await rig.run(corrected)
    #expect(second.summary.isClean && second.summary.found == 1, "\(second)")
    #expect(try await rig.sessions().allSatisfy { $0.status != .pending })
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    let parts = try ["1", "2", "3"].map { try ProjectPath("in/a.md/pages/\($0).txt") }
    let jobs = try await ledger.jobs(profile: "local", recipe: "test", paths: parts)
    #expect(jobs[parts[0]]?.phase == .done)
    #expect(jobs[parts[1]]?.phase == .skipped)
    #expect(jobs[parts[1]]?.reason == "not a part of in/a.md any more")
    #expect(try await ledger.unfinished(profile: "local", recipe: "test").isEmpty)
  }

  @Test("goes on in its parts after an outage, however few places there are")
  func outage() async throws {
    let project = try TemporaryProject()
    for name in ["a", "b", "c"] { try project.write("\(name)1\n\(name)2\n", to: "in/\(name).md") }
    let rig = try await Rig(project)
    let away = FaultyService.Fault.refused(ServiceError(.serviceUnavailable, "away"))
    let first = try await rig.run(
      try recipe(project), wrap: { FaultyService($0, [.upload: [nil, nil, nil, away, away, away]]) },
      transfers: 3)
    #expect(first.summary.stop != nil)
    #expect(try await rig.sessions().count { $0.status == .pending } > 1)
    let second = try await rig.run(try recipe(project))
    #expect(second.summary.isClean && second.summary.found == 3, "\(second)")
    let sent = try await rig.sessions()
    #expect(sent.count == 6 && sent.allSatisfy { $0.status == .completed }, "\(sent)")
  }

  @Test("is prepared anew when it changed between a death and the next run", arguments: [false, true])
  func changes(answerIsLost: Bool) async throws {
    var call = 0
    while true {
      call += 1
      let project = try TemporaryProject()
      try project.write("first\nsecond\n", to: "in/a.md")
      let rig = try await Rig(project)
      let point = CrashPoint(call: call, after: answerIsLost)
      _ = try await rig.run(try recipe(project), crash: point)
      guard point.wasReached else { break }
      try project.write("first\nsecond\nthird\n", to: "in/a.md")
      _ = try await rig.run(try recipe(project))
      _ = try await rig.run(try recipe(project))

      let note = "call \(call), answer lost: \(answerIsLost)"
      #expect(try await sent(by: rig) == ["1.txt: first", "2.txt: second", "3.txt: third"], "\(note)")
      #expect(try await rig.sessions().allSatisfy { $0.status != .pending }, "\(note)")
      #expect(work(in: project).isEmpty, "\(note)")
    }
    #expect(call > 12)
  }
}
