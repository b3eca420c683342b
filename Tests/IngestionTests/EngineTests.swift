import FileSessions
import Ingestion
import SQLiteLedger
import Synchronization
import Testing
import Workspace

@Suite("The engine")
struct EngineTests {
  @Test("sends each file once, and a second run does nothing")
  func sendsOnce() async throws {
    let project = try TemporaryProject()
    for number in 1...600 { try project.write("file \(number)", to: "d\(number % 7)/\(number).md") }
    let rig = try await Rig(project)
    let recipe = try SwiftRecipe()
    let first = try await rig.run(recipe, transfers: 8).summary
    #expect(first.found == 600 && first.sent == 600 && first.isClean)
    #expect(try await Set(rig.sessions().map(\.filename)).count == 600)
    let second = try await rig.run(recipe).summary
    #expect(second.found == 600 && second.sent == 0 && second.alreadyDone == 600)
    #expect(recipe.asked.withLock { $0.count } == 600)
  }

  @Test("holds up no file for another one's handler", .timeLimit(.minutes(5)))
  func slowHandler() async throws {
    let project = try TemporaryProject()
    for name in ["a", "slow", "z"] { try project.write(name, to: "\(name).md") }
    let rig = try await Rig(project)
    let (sent, continuation) = AsyncStream.makeStream(of: String.self)
    let order = Mutex<[String]>([])
    // The handler of one returns only when the others have been sent.
    let recipe = try SwiftRecipe(before: { candidate in
      guard candidate.path.name == "slow.md" else { return }
      var others = 2
      for await _ in sent where others > 0 {
        others -= 1
        if others == 0 { break }
      }
    })
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    let summary = await rig.engine(recipe, ledger: ledger) { event in
      guard case .sent(let path, _) = event else { return }
      order.withLock { $0.append(path.name) }
      continuation.yield(path.name)
    }.run()
    #expect(summary.sent == 3)
    #expect(order.withLock { $0.last } == "slow.md")
  }

  @Test(
    "begins no more than it is allowed, finishes what an earlier run began, and says what is left",
    arguments: [
      (Allowance(files: 2), 2), (Allowance(bytes: 9), 2), (Allowance(bytes: 3), 0),
      (Allowance(files: 9, bytes: 8), 2), (Allowance(files: 5, bytes: 20), 5),
    ])
  func allowance(allowance: Allowance, sent: Int) async throws {
    let project = try TemporaryProject()
    for name in ["a", "b", "c", "d", "e"] { try project.write("four", to: "\(name).md") }
    let rig = try await Rig(project)
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    let first = await rig.engine(try SwiftRecipe(), ledger: ledger, allowance: allowance).run()
    #expect(first.found == 5 && first.sent == sent && first.left == 5 - sent)
    #expect(first.stop == (sent < 5 ? .limit(allowance) : nil))
    #expect(try await rig.sessions().count == sent)
    let second = await rig.engine(try SwiftRecipe(), ledger: ledger).run()
    #expect(second.sent == 5 - sent && second.stop == nil)
    #expect(try await rig.sessions().allSatisfy { $0.status == .completed })
  }

  @Test(
    "does with a file that was sent and has changed what the recipe says", arguments: ChangePolicy.allCases)
  func changed(policy: ChangePolicy) async throws {
    let project = try TemporaryProject()
    try project.write("old", to: "a.md")
    let rig = try await Rig(project)
    let recipe = try SwiftRecipe(changed: policy)
    #expect(try await rig.run(recipe).summary.sent == 1)
    try project.write("newer", to: "a.md")
    try project.write("other", to: "b.md")
    let second = try await rig.run(recipe).summary
    #expect(second.sent == (policy == .send ? 2 : 1), "a file that was never sent is sent in any case")
    #expect(second.skipped == (policy == .skip ? 1 : 0) && second.rejected == (policy == .fail ? 1 : 0))
    // Corrected, the recipe sends what it had left out.
    let third = try await rig.run(try SwiftRecipe(version: "2")).summary
    #expect(third.sent == (policy == .send ? 0 : 1) && third.isClean)
    try project.write("old", to: "a.md")
    #expect(try await rig.run(recipe).summary.touched == 1, "what was sent is no change")
  }

  @Test("settles a changed stamp by the content")
  func touched() async throws {
    let project = try TemporaryProject()
    try project.write("same", to: "a.md")
    try project.write("old", to: "b.md")
    let rig = try await Rig(project)
    _ = try await rig.run(try SwiftRecipe())
    try project.touch("a.md")
    try project.write("new", to: "b.md")
    let second = try await rig.run(try SwiftRecipe()).summary
    #expect(second.touched == 1 && second.sent == 1)
    try project.write("old", to: "b.md")
    let third = try await rig.run(try SwiftRecipe()).summary
    #expect(third.touched == 1 && third.sent == 0, "a content that was sent before is not sent again")
    let fourth = try await rig.run(try SwiftRecipe()).summary
    #expect(fourth.alreadyDone == 2, "the new stamp is remembered")
  }

  @Test("reads no content of a file whose stamp is the one that was sent")
  func unread() async throws {
    let project = try TemporaryProject()
    try project.write("first", to: "a.md")
    try project.touch("a.md")
    let rig = try await Rig(project)
    _ = try await rig.run(try SwiftRecipe())
    // Other bytes in the same place with the same time: only who reads them knows.
    try project.overwrite("other", in: "a.md")
    try project.touch("a.md")
    let second = try await rig.run(try SwiftRecipe()).summary
    #expect(second.alreadyDone == 1 && second.sent == 0)
  }

  @Test("does not discover what it moved, also when that was copied elsewhere or replaced by a restore")
  func ownWork() async throws {
    let project = try TemporaryProject()
    try project.write("text", to: "in/a.md")
    let rig = try await Rig(project)
    let recipe = try SwiftRecipe(after: .move(to: "sent"))
    #expect(try await rig.run(recipe).summary.sent == 1)
    #expect(project.has("sent/in/a.md") && !project.has("in/a.md"))
    let second = try await rig.run(recipe).summary
    #expect(second.found == 0 && second.isClean)
    try project.remove("sent/in/a.md")
    try project.write("text", to: "sent/in/a.md")
    #expect(try await rig.run(recipe).summary.sent == 0)
    try project.write("another text", to: "sent/in/a.md")
    #expect(try await rig.run(recipe).summary.sent == 1, "a new file at the same place is a candidate")
  }

  @Test("never writes over a file, and numbers the next one")
  func collisions() async throws {
    let project = try TemporaryProject()
    let rig = try await Rig(project)
    let recipe = try SwiftRecipe(root: "in", after: .move(to: "sent"))
    for text in ["one", "two!", "three"] {
      try project.write(text, to: "in/a.md")
      #expect(try await rig.run(recipe).summary.sent == 1)
    }
    #expect(project.has("sent/a.md") && project.has("sent/a-2.md") && project.has("sent/a-3.md"))
  }

  @Test("asks a changed recipe again about what was not sent, and leaves the rest")
  func changedRecipe() async throws {
    let project = try TemporaryProject()
    for name in ["skip", "reject", "fault", "send"] { try project.write(name, to: "\(name).md") }
    let rig = try await Rig(project)
    let ruling: @Sendable (Candidate) -> Ruling = { candidate in
      switch candidate.path.stem {
      case "skip": .skip(reason: "no")
      case "reject": .reject(reason: "bad")
      case "fault": .fault(Failure(.script, "broken"))
      default: .send(Wishes())
      }
    }
    let first = try await rig.run(try SwiftRecipe(ruling: ruling)).summary
    #expect(first.skipped == 1 && first.rejected == 1 && first.failed == 1 && first.sent == 1)
    let same = try SwiftRecipe(ruling: ruling)
    let second = try await rig.run(same).summary
    #expect(second.skipped == 1 && second.rejected == 1 && second.failed == 1 && second.alreadyDone == 1)
    #expect(same.asked.withLock { $0.isEmpty })
    let third = try await rig.run(try SwiftRecipe(version: "2")).summary
    #expect(third.sent == 3 && third.alreadyDone == 1)
  }

  @Test("refuses what breaks a published limit before a session is opened", arguments: [0, 536_870_913])
  func limits(size: Int) async throws {
    let project = try TemporaryProject()
    try project.write("", to: "a.md")
    try project.grow("a.md", to: size)
    let rig = try await Rig(project)
    let run = try await rig.run(try SwiftRecipe())
    #expect(run.summary.failed == 1 && run.summary.sent == 0)
    #expect(try await rig.sessions().isEmpty)
    let message = run.events.compactMap { event in
      if case .failed(_, let failure, _) = event { failure.message } else { nil }
    }
    #expect(message.first?.contains(size == 0 ? "at least 1" : "536870912") == true)
  }

  @Test("never completes a file that changes while it is read")
  func changesWhileRead() async throws {
    let project = try TemporaryProject()
    try project.write("before", to: "a.md")
    let rig = try await Rig(project)
    let once = CallsLeft(1)
    let run = try await rig.run(
      try SwiftRecipe(),
      wrap: { base in
        MeddlingService(base: base) {
          if once.take() { try? project.write("after!!", to: "a.md") }
        }
      })
    #expect(run.summary.sent == 1 && run.summary.failed == 0)
    let completed = try await rig.sessions().filter { $0.status == .completed }
    #expect(completed.count == 1)
    #expect(try await rig.content(of: completed[0]) == "after!!")
    #expect(try await rig.sessions().filter { $0.status == .cancelled }.count == 1)
  }

  @Test("gives up a file that changes each time, and leaves no session open")
  func keepsChanging() async throws {
    let project = try TemporaryProject()
    try project.write("0", to: "a.md")
    let rig = try await Rig(project)
    let always = CallsLeft(100)
    let run = try await rig.run(
      try SwiftRecipe(),
      wrap: { base in
        MeddlingService(base: base) {
          _ = always.take()
          try? project.write(String(repeating: "x", count: 200 - always.left), to: "a.md")
        }
      })
    #expect(run.summary.failed == 1 && run.summary.sent == 0)
    #expect(try await rig.sessions().allSatisfy { $0.status == .cancelled })
    let reader = try #require(try LedgerReader(directory: project.state))
    let job = try #require(try await reader.stories(of: try ProjectPath("a.md")).first).job
    #expect(job.session?.status == .cancelled && job.changes == 4, "\(job)")
  }

  @Test("stops when the service is away, calls nothing failed, and goes on in the next run")
  func outage() async throws {
    let project = try TemporaryProject()
    for number in 1...5 { try project.write("\(number)", to: "\(number).md") }
    let rig = try await Rig(project)
    let recipe = try SwiftRecipe(afterFailure: .remove)
    let run = try await rig.run(
      recipe, wrap: { OutService(base: $0, error: ServiceError(.serviceUnavailable, "down")) })
    guard case .service = run.summary.stop else {
      Issue.record("the run did not stop for the service: \(run.summary)")
      return
    }
    #expect(run.summary.failed == 0 && run.summary.left == 5)
    #expect(recipe.failures.withLock { $0.isEmpty })
    #expect(try await rig.run(recipe).summary.sent == 5)
  }

  @Test("does what the recipe wants with files that are given up, once")
  func failedStep() async throws {
    let project = try TemporaryProject()
    try project.write("x", to: "in/a.md")
    let rig = try await Rig(project)
    let recipe = try SwiftRecipe(afterFailure: .move(to: "dead")) { _ in .reject(reason: "no") }
    #expect(try await rig.run(recipe).summary.rejected == 1)
    #expect(project.has("dead/in/a.md"))
    let second = try await rig.run(recipe).summary
    #expect(second.found == 0 && recipe.failures.withLock { $0 } == ["in/a.md"])
  }

  @Test("reports a root that is missing, and no empty project")
  func missingRoot() async throws {
    let rig = try await Rig(try TemporaryProject())
    let run = try await rig.run(try SwiftRecipe(root: "nowhere"))
    #expect(run.summary.problems == 1 && !run.summary.isClean)
  }

  @Test("keeps a file whose target is the file itself under another path")
  func targetIsSource() async throws {
    let project = try TemporaryProject()
    try project.write("only copy", to: "in/a.md")
    try project.link("up", to: "in")
    let run = try await Rig(project).run(try SwiftRecipe(root: "in", after: .move(to: "up")))
    #expect(run.summary.sent == 1 && run.summary.isClean)
    #expect(project.has("in/a.md"))
  }

  @Test("takes no other file for its own work, even one with the same content")
  func foreignTargets() async throws {
    let project = try TemporaryProject()
    for path in ["in/a.md", "in/a-2.md", "up/a.md"] { try project.write("same", to: path) }
    let rig = try await Rig(project)
    let run = try await rig.run(try SwiftRecipe(root: "in", after: .move(to: "up")))
    #expect(run.summary.sent == 2)
    #expect(project.has("up/a.md") && project.has("up/a-2.md") && project.has("up/a-3.md"))
    let other = try await rig.run(try SwiftRecipe(root: "up", name: "other"))
    #expect(other.summary.found == 1, "up/a.md was there before, and is a candidate of its own")
  }

  @Test("leaves a file for the next run when its recipe is not to be asked any more")
  func unasked() async throws {
    let project = try TemporaryProject()
    try project.write("before", to: "a.md")
    let rig = try await Rig(project)
    let once = CallsLeft(1)
    let asked = CallsLeft(1)
    let recipe = try SwiftRecipe(afterFailure: .remove) { _ in asked.take() ? .send(Wishes()) : .unasked }
    let run = try await rig.run(
      recipe,
      wrap: { base in
        MeddlingService(base: base) { if once.take() { try? project.write("after!!", to: "a.md") } }
      })
    #expect(run.summary.failed == 0 && run.summary.left == 1 && project.has("a.md"))
    #expect(try await rig.run(try SwiftRecipe()).summary.sent == 1)
    #expect(try await rig.sessions().filter { $0.status == .pending }.isEmpty)
  }

  @Test("asks a corrected recipe again instead of finishing what was to follow on the old failure")
  func voidStep() async throws {
    let project = try TemporaryProject()
    try project.write("x", to: "a.md")
    let rig = try await Rig(project)
    // The process dies after the failure was recorded and before anything followed on it.
    let point = CrashPoint(call: 1, after: true)
    let broken = try SwiftRecipe(afterFailure: .move(to: "dead")) { _ in .fault(Failure(.script, "broken")) }
    _ = try await rig.run(broken, crash: point)
    let corrected = try SwiftRecipe(version: "2", afterFailure: .move(to: "dead"))
    let run = try await rig.run(corrected)
    #expect(run.summary.sent == 1 && run.summary.failed == 0)
    #expect(project.has("a.md") && !project.has("dead/a.md"))
  }

  @Test("ends a step whose file is gone")
  func goneSource() async throws {
    let project = try TemporaryProject()
    try project.write("x", to: "in/a.md")
    // A file stands where the directory should be.
    try project.write("in the way", to: "up")
    let rig = try await Rig(project)
    let recipe = try SwiftRecipe(root: "in", after: .move(to: "up"))
    #expect(try await rig.run(recipe).summary.stepsFailed == 1)
    try project.remove("up")
    try project.remove("in/a.md")
    let run = try await rig.run(recipe).summary
    #expect(run.isClean && run.sent == 0)
  }
}
