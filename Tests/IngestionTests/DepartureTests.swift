import FileSessions
import Ingestion
import SQLiteLedger
import Synchronization
import Testing
import Workspace

@Suite("A file that one recipe takes away and another takes too", .timeLimit(.minutes(2)))
struct DepartureTests {
  private let project: TemporaryProject
  private let rig: Rig

  init() async throws {
    project = try TemporaryProject()
    rig = try await Rig(project)
  }

  /// Runs recipes side by side, the service of some of which answers nothing but an error.
  private func run(
    _ recipes: [SwiftRecipe], places: Int = 2, without service: Set<String> = []
  ) async throws -> (summaries: [String: RunSummary], notes: [String]) {
    let notes = Mutex<[String]>([])
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    let gate = Gate(places: places)
    let engines = recipes.map { recipe in
      rig.engine(
        recipe,
        service: service.contains(recipe.name)
          ? OutService(base: rig.store.service(), error: ServiceError(.unauthorized, "no")) : nil,
        ledger: ledger, seat: gate.join(recipe.name)
      ) { event in
        let text: String? =
          switch event {
          case .noted(let path, let what), .finished(let path, let what): "\(path) \(what)"
          case .watching(let what): what
          case .stepFailed(let path, let what, _): "\(path) failed: \(what)"
          default: nil
          }
        if let text { notes.withLock { $0.append("\(recipe.name): \(text)") } }
      }
    }
    let names = recipes.map(\.name)
    let summaries = await withTaskGroup(of: (String, RunSummary).self) { group in
      for (name, engine) in zip(names, engines) { group.addTask { (name, await engine.run()) } }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    return (summaries, notes.withLock { $0 }.filter { !$0.contains("was sent for") })
  }

  private func moving(
    _ name: String = "moves", to directory: String = "gone/",
    ruling: @escaping @Sendable (Candidate) -> Ruling = { _ in .send(Wishes()) }
  ) throws -> SwiftRecipe {
    try SwiftRecipe(root: "in", name: name, after: .move(to: directory), ruling: ruling)
  }

  @Test(
    "stays until both are past it, and holds no place meanwhile", arguments: [true, false],
    [AfterAction.move(to: "gone/"), .remove])
  func bothTakeIt(isFirst: Bool, action: AfterAction) async throws {
    for number in 1...20 { try project.write("\(number)", to: "in/\(number).md") }
    let takes = try SwiftRecipe(root: "in", name: "takes", after: action)
    let reads = try SwiftRecipe(root: "in", name: "reads", after: .copy(to: "copies/"))
    let (summaries, notes) = try await run(isFirst ? [takes, reads] : [reads, takes])
    for summary in summaries.values {
      #expect(summary.sent == 20 && summary.found == 20 && summary.isClean && summary.left == 0, "\(summary)")
    }
    #expect(try await rig.sessions().count { $0.status == .completed } == 40)
    for number in 1...20 {
      #expect(!project.has("in/\(number).md") && project.has("copies/\(number).md"))
      #expect(project.has("gone/\(number).md") == (action == .move(to: "gone/")))
    }
    #expect(!notes.contains { $0.contains("stay") || $0.contains("not there") }, "\(notes)")
  }

  @Test("goes where the first of them wants it, and the other says so")
  func bothMoveIt() async throws {
    for number in 1...5 { try project.write("\(number)", to: "in/\(number).md") }
    let (summaries, notes) = try await run([try moving("one", to: "1/"), try moving("two", to: "2/")])
    #expect(summaries.values.allSatisfy { $0.sent == 5 && $0.isClean }, "\(summaries)")
    for number in 1...5 {
      #expect(project.has("1/\(number).md") && !project.has("2/\(number).md"))
      #expect(
        notes.contains("two: in/\(number).md is not there any more: one moved it to 1/\(number).md"),
        "\(notes)"
      )
    }
  }

  @Test("stays for another run where the other one deferred it, and goes when that one has sent it")
  func deferred() async throws {
    for name in ["a", "b"] { try project.write(name, to: "in/\(name).md") }
    let defers = try SwiftRecipe(root: "in", name: "defers") { candidate in
      candidate.path.name == "a.md" ? .postpone(.seconds(3600), reason: "not today") : .skip(reason: nil)
    }
    let first = try await run([try moving(), defers])
    #expect(first.summaries["moves"]?.sent == 2 && first.summaries["moves"]?.isClean == true)
    #expect(project.has("in/a.md") && project.has("gone/b.md"))
    #expect(
      first.notes.contains("moves: in/a.md stays until defers is done with it, which deferred it: not today"),
      "\(first.notes)")
    let second = try await run([
      try SwiftRecipe(version: "2", root: "in", name: "defers"), try moving(),
    ])
    #expect(second.summaries["defers"]?.sent == 1, "\(second)")
    #expect(project.has("gone/a.md") && !project.has("in/a.md"))
    #expect(try await rig.sessions().count { $0.status == .completed } == 3)
  }

  @Test(
    "stays where the other one was stopped before it could take it, and a run of the one alone takes it away")
  func stopped() async throws {
    for number in 1...3 { try project.write("\(number)", to: "in/\(number).md") }
    let first = try await run(
      [try SwiftRecipe(root: "in", name: "away"), try moving()], without: ["away"])
    #expect(first.summaries["moves"]?.sent == 3 && first.summaries["moves"]?.isClean == true, "\(first)")
    #expect(first.summaries["away"]?.stop != nil)
    #expect(
      first.notes.contains(
        "moves: 3 files to be moved or removed stay for other recipes until a later run"), "\(first.notes)")
    for number in 1...3 { #expect(project.has("in/\(number).md")) }
    let second = try await run([try moving()])
    #expect(second.summaries["moves"]?.sent == 0 && second.summaries["moves"]?.isClean == true, "\(second)")
    for number in 1...3 { #expect(project.has("gone/\(number).md")) }
  }

  @Test("stays where the other one could not name all that it takes")
  func unnamed() async throws {
    for number in 1...3 { try project.write("\(number)", to: "in/\(number).md") }
    let names = try SwiftRecipe(name: "names", named: [], namingFault: Failure(.script, "503"))
    let (summaries, notes) = try await run([names, try moving()])
    #expect(summaries["moves"]?.sent == 3 && summaries["names"]?.problems == 1, "\(summaries)")
    for number in 1...3 { #expect(project.has("in/\(number).md"), "\(notes)") }
  }

  @Test("stays for a corrected recipe, which is asked again about what it had skipped")
  func corrected() async throws {
    try project.write("a", to: "in/a.md")
    let skips = try SwiftRecipe(root: "in", name: "other") { _ in .skip(reason: "by mistake") }
    #expect(try await run([skips]).summaries["other"]?.skipped == 1)
    let (isSent, send) = AsyncStream.makeStream(of: Void.self)
    // It is asked when the first one is about to take the file away.
    let corrected = try SwiftRecipe(
      version: "2", root: "in", name: "other", before: { _ in for await _ in isSent {} })
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    let gate = Gate(places: 2)
    let engines = try [corrected, moving()].map { recipe in
      rig.engine(recipe, ledger: ledger, seat: gate.join(recipe.name)) { event in
        if case .sent = event { send.finish() }
      }
    }
    let sent = await withTaskGroup(of: Int.self) { group in
      for engine in engines { group.addTask { await engine.run().sent } }
      return await group.reduce(0, +)
    }
    #expect(sent == 2)
    #expect(project.has("gone/a.md") && !project.has("in/a.md"))
  }

  @Test("stays also when it was given up and is to go elsewhere")
  func givenUp() async throws {
    try project.write("a", to: "in/a.md")
    let refuses = try SwiftRecipe(
      root: "in", name: "refuses", afterFailure: .move(to: "dead/"), ruling: { _ in .reject(reason: "no") })
    let (summaries, _) = try await run([refuses, try SwiftRecipe(root: "in", name: "sends")], places: 1)
    #expect(summaries["sends"]?.sent == 1 && summaries["refuses"]?.rejected == 1, "\(summaries)")
    #expect(project.has("dead/a.md") && !project.has("in/a.md"))
  }

  @Test("does not wait for a recipe that looks elsewhere, or withholds it by its name")
  func strangers() async throws {
    try project.write("a", to: "in/a.md")
    try project.write("b", to: "other/b.md")
    let (isMoved, move) = AsyncStream.makeStream(of: Void.self)
    let withholding = Settling(quiet: .zero, inProgress: [try Glob("a.*")])
    let slow = try SwiftRecipe(
      name: "slow", settling: withholding, before: { _ in for await _ in isMoved {} })
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    let gate = Gate(places: 1)
    // Neither knows of the other's files before it has begun.
    let engines = try [slow, moving()].map { recipe in
      rig.engine(recipe, ledger: ledger, seat: gate.join(recipe.name)) { event in
        if case .finished = event { move.finish() }
      }
    }
    await withTaskGroup { group in
      for engine in engines { group.addTask { _ = await engine.run() } }
    }
    #expect(project.has("gone/a.md"))
  }

  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var phase: Phase?
    var rival = Departure.Rival()
    var change: @Sendable (inout Job) -> Void = { _ in }
    var free = false
    var waits = false
  }

  private static let resting = Departure.Rival(progress: .resting)

  private static func step(_ action: AfterAction?) -> AfterStep {
    var step = AfterStep()
    step.action = action
    step.isHandled = action != nil
    return step
  }

  @Test(
    "is decided by what the other one's record says",
    arguments: [
      Case(testDescription: "not looked at yet", waits: true),
      Case(testDescription: "not taken, by a walk that is over", rival: resting),
      Case(
        testDescription: "not named, by one that has named all",
        rival: .init(progress: .resting, isCertain: false),
        free: true),
      Case(
        testDescription: "not named, by one that watches and has looked since",
        rival: .init(isCertain: false, hasLooked: true), free: true),
      Case(
        testDescription: "not looked at before it was stopped",
        rival: .init(progress: .ended(early: true), isCertain: false)),
      Case(testDescription: "another version", phase: .done, change: { $0.stamp.size += 1 }, waits: true),
      Case(testDescription: "sent", phase: .done, free: true),
      Case(testDescription: "skipped", phase: .skipped, free: true),
      Case(testDescription: "under way", phase: .opened, waits: true),
      Case(testDescription: "left under way", phase: .uploaded, rival: resting),
      Case(testDescription: "deferred", phase: .deferred),
      Case(
        testDescription: "its handler still runs", phase: .completed, change: { $0.step = step(nil) },
        waits: true),
      Case(
        testDescription: "it is still to be copied", phase: .completed,
        change: { $0.step = step(.copy(to: "c")) },
        waits: true),
      Case(
        testDescription: "the later one takes it away too", phase: .completed,
        change: { $0.step = step(.remove) }, free: true),
      Case(
        testDescription: "the earlier one takes it away too", phase: .completed,
        rival: .init(isEarlier: true),
        change: { $0.step = step(.remove) }, waits: true),
      Case(
        testDescription: "given up for good", phase: .failed,
        change: { $0.failure = Failure(.rejected, "no") }, free: true),
      Case(
        testDescription: "a fault of the recipe", phase: .failed,
        change: { $0.failure = Failure(.script, "no") }),
      Case(
        testDescription: "to be tried again at the end of the run", phase: .failed,
        change: { job in (job.failure, job.rounds) = (Failure(.file, "no"), 1) }, waits: true),
      Case(
        testDescription: "to be tried again by another run", phase: .failed,
        change: { $0.failure = Failure(.file, "no") }),
    ])
  func verdicts(of it: Case) throws {
    let stamp = FileStamp(size: 1, modified: 2, inode: 3)
    var job: Job?
    if let phase = it.phase {
      let key = JobKey(profile: "local", recipe: "other", path: try ProjectPath("a.md"))
      var known = Job(key: key, relative: "a.md", phase: phase, stamp: stamp, recipeVersion: "1")
      it.change(&known)
      job = known
    }
    let departure = Departure(past: it.rival, job: job, stamp: stamp)
    switch departure {
    case .free: #expect(it.free)
    case .wait: #expect(it.waits)
    case .stay: #expect(!it.free && !it.waits, "\(departure)")
    }
  }
}
