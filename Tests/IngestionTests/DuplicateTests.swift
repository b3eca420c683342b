import FileSessions
import Ingestion
import SQLiteLedger
import Synchronization
import Testing
import Workspace

@Suite("A recipe that sends the same content once")
struct DuplicateTests {
  private let project: TemporaryProject
  private let rig: Rig

  init() async throws {
    project = try TemporaryProject()
    rig = try await Rig(project)
  }

  private func recipe(after: AfterAction? = nil, version: String = "1") throws -> SwiftRecipe {
    try SwiftRecipe(version: version, after: after, sendsContentOnce: true)
  }

  private func skipped(_ events: [RunEvent]) -> [String] {
    events.compactMap { event in
      if case .skipped(let path, let reason) = event { "\(path): \(reason ?? "")" } else { nil }
    }
  }

  private func completed() async throws -> [String] {
    try await rig.sessions().filter { $0.status == .completed }.map(\.filename).sorted()
  }

  @Test("skips the second of two equal files, says of which, and reads it no more", arguments: [1, 4])
  func skips(transfers: Int) async throws {
    for (name, text) in [("a", "same"), ("b", "same"), ("c", "else"), ("d", "longer")] {
      try project.write(text, to: "\(name).md")
    }
    let recipe = try recipe()
    let (first, events) = try await rig.run(recipe, transfers: transfers)
    #expect(first.sent == 3 && first.skipped == 1 && first.isClean, "\(first)")
    let reasons = skipped(events)
    #expect(reasons == ["b.md: same content as a.md"] || reasons == ["a.md: same content as b.md"])
    let (second, _) = try await rig.run(recipe)
    #expect(second.alreadyDone == 3 && second.skipped == 1)
    #expect(recipe.asked.withLock { $0.count } == 4)
  }

  @Test("knows what an earlier run sent, and what a file that has changed since had been")
  func acrossRuns() async throws {
    try project.write("same", to: "a.md")
    #expect(try await rig.run(try recipe()).summary.sent == 1)
    try project.write("another", to: "a.md")
    try project.write("same", to: "b.md")
    let (summary, events) = try await rig.run(try recipe())
    #expect(summary.sent == 1 && skipped(events) == ["b.md: same content as a.md"])
    try project.write("same", to: "c.md")
    try project.remove("a.md")
    #expect(skipped(try await rig.run(try recipe()).events).contains("c.md: same content as a.md"))
  }

  @Test("sends a file that was skipped so when it gets other content")
  func changes() async throws {
    for name in ["a", "b"] { try project.write("same", to: "\(name).md") }
    _ = try await rig.run(try recipe())
    try project.write("other", to: "b.md")
    #expect(try await rig.run(try recipe()).summary.sent == 1)
    #expect(try await completed() == ["a.md", "b.md"])
  }

  @Test("sends the second when the first is forgotten")
  func forgotten() async throws {
    for name in ["a", "b"] { try project.write("same", to: "\(name).md") }
    _ = try await rig.run(try recipe())
    var selection = JobSelection()
    selection.paths = ["a.md"]
    try project.remove("a.md")
    try await LedgerDesk(directory: project.state, clock: .system).leave(.forget(selection, sentToo: true))
    let (summary, _) = try await rig.run(try recipe())
    #expect(summary.sent == 1, "\(summary)")
    #expect(try await completed() == ["a.md", "b.md"])
  }

  @Test("sends the second itself when the first fails")
  func firstFails() async throws {
    for name in ["a", "b"] { try project.write("same", to: "\(name).md") }
    let refused = ServiceError(.badRequest, "not this one", code: "invalid_value")
    let (summary, _) = try await rig.run(
      try recipe(), wrap: { FaultyService($0, [.create: [.refused(refused)]]) }, transfers: 2)
    #expect(summary.sent == 1 && summary.failed == 1 && summary.skipped == 0)
    #expect(try await completed().count == 1)
  }

  @Test("waits with the second for the end of the first that is under way", .timeLimit(.minutes(5)))
  func underWay() async throws {
    for name in ["a", "b"] { try project.write("same", to: "\(name).md") }
    let opened = Mutex(0)
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    let engine = rig.engine(try recipe(), ledger: ledger, transfers: 2) { event in
      if case .opened = event { opened.withLock { $0 += 1 } }
    }
    let summary = await engine.run()
    #expect(summary.sent == 1 && summary.skipped == 1)
    #expect(opened.withLock { $0 } == 1)
  }

  @Test("lets others have the place of the second while that waits for the first", .timeLimit(.minutes(2)))
  func withoutPlace() async throws {
    for name in ["a", "b"] { try project.write("same", to: "\(name).md") }
    try project.write("something else", to: "c.md")
    let (isOtherSent, other) = AsyncStream.makeStream(of: Void.self)
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    // The first is opened only when the third has been sent, and the two have two places with the second.
    let service = HeldService(base: rig.store.service()) { name in
      if name != "c.md" { for await _ in isOtherSent {} }
    }
    let engine = rig.engine(
      try SwiftRecipe(order: .smallest, sendsContentOnce: true), service: service, ledger: ledger,
      transfers: 2
    ) { event in
      if case .sent(let path, _) = event, path.string == "c.md" { other.finish() }
    }
    let summary = await engine.run()
    #expect(summary.sent == 2 && summary.skipped == 1, "\(summary)")
  }

  @Test("completes it once, whenever a run is cut off")
  func crashes() async throws {
    var number = 1
    while true {
      let project = try TemporaryProject()
      let rig = try await Rig(project)
      for name in ["a", "b"] { try project.write("same", to: "\(name).md") }
      let crash = CrashPoint(call: number, after: true)
      _ = try await rig.run(try recipe(after: .copy(to: "done")), crash: crash)
      guard crash.wasReached else { break }
      _ = try await rig.run(try recipe(after: .copy(to: "done")))
      let sessions = try await rig.sessions()
      #expect(sessions.filter { $0.status == .completed }.count == 1, "after call \(number)")
      #expect(!sessions.contains { $0.status == .pending }, "after call \(number)")
      number += 1
    }
    #expect(number > 8)
  }

  @Test("finds a session that was left open by the size of its file")
  func leftOpen() async throws {
    try project.write("same", to: "a.md")
    let away = ServiceError(.serviceUnavailable, "away")
    _ = try await rig.run(try recipe(), wrap: { FaultyService($0, [.complete: [.refused(away)]]) })
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    let held = try #require(try await ledger.unfinished(profile: "local", recipe: "test").first)
    #expect(held.phase == .uploaded)
    #expect(try await ledger.unfinished(profile: "local", recipe: "test", ofSize: 4).map(\.key) == [held.key])
    #expect(try await ledger.unfinished(profile: "local", recipe: "test", ofSize: 5).isEmpty)
    #expect(try await ledger.hasContent(ofSize: 4, profile: "local", recipe: "test"))
    #expect(try await !ledger.hasContent(ofSize: 4, profile: "other", recipe: "test"))
  }
}

/// A service that has some files wait before it opens a session for them.
private struct HeldService: ForwardingService {
  let base: any FileService
  let wait: @Sendable (_ filename: String) async -> Void

  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    await wait(file.filename)
    return try await base.create(file, key: key)
  }
}
