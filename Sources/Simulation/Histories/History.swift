import FileSessions
import Foundation
import Ingestion
import Synchronization
import Workspace

/// Days in the life of a project, drawn from a seed: files come and change, runs meet faults, die and are begun
/// again, clocks are set, the recipe is corrected. In the end all is well again, and every promise has to be kept.
///
/// The engine and the file system are real, everything else is simulated. One file is under way at a time, so that a
/// seed leads to the same history again.
package struct History {
  /// What came of a history.
  package struct Report: Sendable {
    package var seed: UInt64
    /// Promises that were broken.
    package var violations: [String] = []
    /// What happened, in order.
    package var log: [String] = []
    /// How many faults were met.
    package var faults = 0
  }

  /// How many runs a project may need, once nothing goes wrong any more, until nothing is left to do.
  private static let mostRuns = 12

  private let dice: Dice
  private let clock = SimulatedClock()
  let ledger = SimulatedLedger()
  let service: SimulatedService
  let workspace: Workspace
  let shelf: Shelf
  let recipe: SimulatedRecipe
  let after: AfterAction?
  private let names: [String]
  var report: Report

  /// Plays the history of a seed in a directory of its own below `directory`.
  package static func play(seed: UInt64, below directory: String) async throws -> Report {
    let root = "\(directory)/history-\(seed)"
    try FileManager.default.createDirectory(atPath: root + "/in/sub", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    var history = try History(seed: seed, root: root)
    await history.play()
    return history.report
  }

  private init(seed: UInt64, root: String) throws {
    dice = Dice(seed: seed)
    report = Report(seed: seed)
    service = SimulatedService(clock: clock.service)
    workspace = try Workspace(root: root)
    names = (0..<dice.roll(1...5)).map { "f\($0).md" }
    let paths = names.enumerated().map { $0 % 2 == 0 ? "in/\($1)" : "in/sub/\($1)" }
    shelf = Shelf(root: root, paths: paths, dice: dice)
    after = dice.pick([.move(to: "sent"), .copy(to: "sent"), .remove, nil]) ?? nil
    // From above, Moontide's own copies are candidates too.
    let isBelow = dice.happens(0.5)
    recipe = SimulatedRecipe(
      walk: WalkSettings(
        root: try ProjectPath(isBelow ? "in" : "."), globs: try GlobSet(include: ["**/*.md"])),
      in: workspace, purpose: dice.pick([nil, .knowledgeUser, .meetingTranscript]) ?? nil, after: after,
      afterFailure: dice.pick([.copy(to: "failed"), .retry(after: 900), nil, nil, nil]) ?? nil,
      sendsContentOnce: dice.happens(0.3), prepares: dice.happens(0.5), dice: dice)
    var rules = SimulatedRecipe.Rules()
    rules.makings = makings(over: [:])
    recipe.set(rules)
  }

  /// What is made of which file before it is sent: as it was, or newly thought out.
  private func makings(over earlier: [String: Making]) -> [String: Making] {
    guard recipe.prepares else { return [:] }
    // What was sent already in another form could not be told from a duplicate.
    let changes = earlier.isEmpty ? 1.0 : recipe.sendsContentOnce ? 0 : 0.2
    var makings = earlier
    for name in names where dice.happens(changes) {
      makings[name] = dice.pick([.nothing, .other, .parts(1), .parts(2), .parts(3)])
    }
    return makings
  }

  private mutating func play() async {
    report.log.append(
      "files \(names), then \(after.map { "\($0)" } ?? "nothing"), \(recipe.handlesFailed ? "sees to" : "leaves") failed ones, "
        + (recipe.sendsContentOnce ? "the same content once" : "each for itself")
        + (recipe.prepares ? ", prepared: \(recipe.rules.makings)" : ""))
    for _ in 0..<dice.roll(1...6) {
      for _ in 0..<dice.roll(0...3) { shelf.change() }
      changeTimes()
      changeRules()
      await run(Misfortune(plan(), dice: dice, meanwhile: meanwhile(dice.happens(0.3) ? 0.15 : 0)))
      checkSafety()
      if !report.violations.isEmpty { break }
    }
    await end()
  }

  // MARK: - What happens

  private mutating func changeTimes() {
    switch dice.roll(0...9) {
    case 0: clock.advance(by: .seconds(3600 * 30))
    case 1, 2: clock.advance(by: .seconds(dice.roll(600...7200)))
    case 3: clock.set(ahead: .seconds(dice.roll(-200_000...200_000)))
    case 4: clock.set(ahead: .zero)
    default: clock.advance(by: .seconds(dice.roll(1...60)))
    }
    report.log.append("it is \(clock.service.now), and \(clock.machine.now) on this machine")
  }

  private mutating func changeRules() {
    guard dice.happens(0.4) else { return }
    var rules = SimulatedRecipe.Rules()
    rules.version = recipe.rules.version + 1
    for name in names where dice.happens(0.4) {
      rules.rulings[name] = dice.pick([
        .skip(reason: "no"), .reject(reason: "wrong"), .postpone(.seconds(600), reason: nil),
        .fault(Failure(.script, "a handler fails")),
      ])
    }
    rules.makings = makings(over: recipe.rules.makings)
    rules.faultsWhilePreparing = dice.pick([0, 0, 0.2]) ?? 0
    rules.faultsAfterwards = dice.pick([0, 0.5]) ?? 0
    recipe.set(rules)
    report.log.append("recipe \(rules.version): \(rules.rulings), prepared: \(rules.makings)")
  }

  private func plan() -> Misfortune.Plan {
    var plan = Misfortune.Plan()
    plan.faults = dice.pick([0, 0.1, 0.4]) ?? 0
    if dice.happens(0.4) { plan.death = (dice.roll(1...25), dice.happens(0.5)) }
    if dice.happens(0.15) {
      let error = dice.pick([Fault.noAnswer, ServiceError(.unauthorized, "revoked")]) ?? Fault.noAnswer
      plan.outage = (dice.roll(1...15), error)
    }
    if dice.happens(0.1) { plan.full = dice.roll(1...20) }
    return plan
  }

  /// The user goes on working while a run is under way.
  private func meanwhile(_ probability: Double) -> @Sendable (Call) -> Void {
    { [dice, shelf, clock] _ in
      clock.advance(by: .milliseconds(dice.roll(1...2000)))
      if dice.happens(probability) { shelf.change() }
      if dice.happens(probability / 10) { clock.advance(by: .seconds(dice.roll(600...4000))) }
    }
  }

  @discardableResult
  private mutating func run(_ misfortune: Misfortune?) async -> RunSummary {
    let fate: Fate = { misfortune?.fate(of: $0) }
    let keys = Dice(seed: dice.next())
    let problems = Mutex<[String]>([])
    let engine = Engine(
      recipe: recipe, profile: "simulated", service: UnreliableService(service, fate: fate),
      ledger: UnreliableLedger(ledger, fate: fate), workspace: workspace, types: MIMETypes(),
      seat: Gate(places: 1).join(recipe.name),
      retry: Retrier(policy: .standard, sleep: { [clock] in clock.advance(by: $0) }, chance: { 0.5 }),
      clock: clock.machine, newKey: { "key-\(keys.next())" }
    ) { event in
      if case .problem(let path, let message, _) = event {
        problems.withLock { $0.append("\(path): \(message)") }
      }
    }
    report.log += shelf.takeLog().map { "user: \($0)" }
    let summary = await engine.run()
    report.log += shelf.takeLog().map { "  user: \($0)" }
    let given = misfortune?.given ?? []
    report.faults += given.count
    report.log += given.map { "  \($0)" } + problems.withLock { $0 }.map { "  problem: \($0)" }
    report.log.append(
      "run: \(summary.sent) sent, \(summary.alreadyDone) done, \(summary.touched) touched, "
        + "\(summary.failed + summary.rejected) failed, \(summary.left) left, "
        + "\(summary.stepsFailed) steps failed\(summary.stop.map { ", stopped: \($0)" } ?? "")")
    return summary
  }

  /// Lets all be well: nothing fails, the recipe takes everything; and checks that all gets done.
  private mutating func end() async {
    var rules = SimulatedRecipe.Rules()
    rules.version = recipe.rules.version + 1
    rules.makings = recipe.rules.makings
    recipe.set(rules)
    report.log.append("all is well")
    var idle = 0
    for _ in 0..<Self.mostRuns where idle < 2 {
      let summary = await run(nil)
      let isIdle =
        summary.sent + summary.left + summary.stepsFailed + summary.failed == 0 && summary.stop == nil
      idle = isIdle ? idle + 1 : 0
    }
    if idle < 2 { report.violations.append("it never comes to rest") }
    checkSafety()
    checkProgress()
  }
}
