import FileSessions
import Ingestion
import SQLiteLedger
import Synchronization
import Testing
import Workspace

@Suite("Several recipes in one run")
struct SharingTests {
  private let project: TemporaryProject
  private let rig: Rig

  init() async throws {
    project = try TemporaryProject()
    rig = try await Rig(project)
  }

  /// Runs recipes side by side, and gives their summaries and all events in order.
  private func run(
    _ recipes: [SwiftRecipe], through gate: Gate, wrap: ((any FileService) -> any FileService)? = nil
  ) async throws -> (summaries: [String: RunSummary], events: [(recipe: String, event: RunEvent)]) {
    let events = Mutex<[(recipe: String, event: RunEvent)]>([])
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    let service: any FileService = rig.store.service()
    let engines = recipes.map { recipe in
      rig.engine(
        recipe, service: wrap?(service) ?? service, ledger: ledger, seat: gate.join(recipe.name)
      ) { event in events.withLock { $0.append((recipe.name, event)) } }
    }
    let names = recipes.map(\.name)
    let summaries = await withTaskGroup(of: (String, RunSummary).self) { group in
      for (name, engine) in zip(names, engines) { group.addTask { (name, await engine.run()) } }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    return (summaries, events.withLock { $0 })
  }

  @Test("a recipe with many files does not starve one with few")
  func fairness() async throws {
    for number in 1...60 { try project.write("many \(number)", to: "many/\(number).md") }
    for number in 1...3 { try project.write("few \(number)", to: "few/\(number).md") }
    let (isAsked, ask) = AsyncStream.makeStream(of: Void.self)
    let few = try SwiftRecipe(
      root: "few", name: "few",
      ruling: { _ in
        ask.finish()
        return .send(Wishes())
      })
    // The only place is taken until the other one waits too.
    let waiting = WaitingService(base: rig.store.service()) { for await _ in isAsked {} }
    let (summaries, events) = try await run(
      [try SwiftRecipe(root: "many", name: "many"), few], through: Gate(places: 1)
    ) { _ in waiting }
    #expect(summaries["many"]?.sent == 60 && summaries["few"]?.sent == 3)
    let sent = events.filter { if case .sent = $0.event { true } else { false } }.map(\.recipe)
    let last = try #require(sent.lastIndex(of: "few"))
    #expect(last < 15, "\(sent)")
  }

  @Test("they begin no more together than is allowed")
  func allowance() async throws {
    for number in 1...5 { try project.write("\(number)", to: "\(number).md") }
    var terms = Gate.Terms()
    terms.allowance = Allowance(files: 7)
    let (summaries, _) = try await run(
      [try SwiftRecipe(name: "a"), try SwiftRecipe(name: "b")], through: Gate(places: 3, terms: terms))
    #expect(summaries.values.reduce(0) { $0 + $1.sent } == 7, "\(summaries)")
    #expect(summaries.values.reduce(0) { $0 + $1.left } == 3, "\(summaries)")
    #expect(summaries.values.contains { $0.stop == .limit(Allowance(files: 7)) })
  }

  @Test("a file that two of them take is a job of each, and that is said")
  func sameFile() async throws {
    try project.write("x", to: "a.md")
    let (summaries, events) = try await run(
      [try SwiftRecipe(name: "a"), try SwiftRecipe(name: "b")], through: Gate(places: 1))
    #expect(summaries["a"]?.sent == 1 && summaries["b"]?.sent == 1)
    #expect(try await rig.sessions().count == 2)
    let notes = events.compactMap { if case .noted(_, let what) = $0.event { what } else { nil } }
    #expect(notes.contains { $0.hasPrefix("was sent for ") }, "\(notes)")
  }

  @Test("what is asked of all jobs is done once by each for its own, and by one for the others")
  func requests() async throws {
    for name in ["a", "b", "c"] {
      try project.write(name, to: "\(name)/1.md")
      let refusing = try SwiftRecipe(root: name, name: name) { _ in .reject(reason: "no") }
      #expect(try await rig.run(refusing).summary.rejected == 1)
    }
    try await LedgerDesk(directory: project.state, clock: .system).leave(.retry(JobSelection()))
    let (summaries, events) = try await run(
      ["a", "b"].map { try SwiftRecipe(root: $0, name: $0) }, through: Gate(places: 2))
    #expect(summaries["a"]?.sent == 1 && summaries["b"]?.sent == 1, "\(summaries)")
    let answers = events.compactMap { if case .answered(let what) = $0.event { what } else { nil } }
    #expect(answers == Array(repeating: "1 file is tried again", count: 3))
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    #expect(try await ledger.requests().open.isEmpty)
    let key = JobKey(profile: "local", recipe: "c", path: try ProjectPath("c/1.md"))
    #expect(
      try await ledger.jobs(profile: "local", recipe: "c", paths: [key.path])[key.path]?.isToBeRetried == true
    )
  }

  @Test("a request is heeded while a handler takes its time, also for files of the same page")
  func attention() async throws {
    for name in ["a", "z"] { try project.write(name, to: "\(name).md") }
    _ = try await rig.run(try SwiftRecipe(include: ["a.md"]) { _ in .reject(reason: "no") })
    let desk = try LedgerDesk(directory: project.state, clock: .system)
    let (isAnswered, answer) = AsyncStream.makeStream(of: Void.self)
    let recipe = try SwiftRecipe(before: { candidate in
      guard candidate.path.string == "z.md" else { return }
      try? await desk.leave(.retry(JobSelection()))
      for await _ in isAnswered {}
    })
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    let clock = VirtualClock(runsByItself: true)
    let summary = await rig.engine(
      recipe, ledger: ledger, clock: clock.wall,
      report: { event in if case .answered = event { answer.finish() } },
      patience: { time in
        try await clock.sleep(time)
        try await Task.sleep(for: .milliseconds(5))
      }
    ).run()
    #expect(summary.sent == 2, "\(summary)")
  }
}

/// A service that opens nothing before something has happened.
private struct WaitingService: ForwardingService {
  let base: any FileService
  let wait: @Sendable () async -> Void

  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    await wait()
    return try await base.create(file, key: key)
  }
}
