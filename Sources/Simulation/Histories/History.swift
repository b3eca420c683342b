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
  private let ledger = SimulatedLedger()
  private let service: SimulatedService
  private let workspace: Workspace
  private let shelf: Shelf
  private let recipe: SimulatedRecipe
  private let after: AfterAction?
  private let names: [String]
  private var report: Report

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
      purpose: dice.pick([nil, .knowledgeUser, .meetingTranscript]) ?? nil, after: after,
      afterFailure: dice.pick([.copy(to: "failed"), .retry(after: 900), nil, nil, nil]) ?? nil,
      sendsContentOnce: dice.happens(0.3), dice: dice)
  }

  private mutating func play() async {
    report.log.append(
      "files \(names), then \(after.map { "\($0)" } ?? "nothing"), \(recipe.handlesFailed ? "sees to" : "leaves") failed ones, "
        + (recipe.sendsContentOnce ? "the same content once" : "each for itself")
    )
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
    rules.faultsAfterwards = dice.pick([0, 0.5]) ?? 0
    recipe.set(rules)
    report.log.append("recipe \(rules.version): \(rules.rulings)")
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

  // MARK: - What is promised

  /// What may never be, whatever has happened.
  private mutating func checkSafety() {
    var seen: [SimulatedRecipe.Completion: String] = [:]
    for entry in service.entries where entry.session.status == .completed {
      let bytes = entry.bytes ?? []
      let version = SimulatedRecipe.Completion(name: entry.request.filename, md5: MD5Digest(of: bytes))
      var key = version
      if recipe.sendsContentOnce { key.name = "the same content" }
      if let other = seen.updateValue(entry.session.id, forKey: key) {
        violate("\(key.name) was completed twice: \(other), \(entry.session.id)")
      }
      if !shelf.wasWritten(bytes, name: version.name) {
        violate("\(entry.session.id) was completed with bytes that \(version.name) never had")
      }
    }
    let contents = Set(shelf.files().values)
    for (path, content) in shelf.kept where !contents.contains(content) {
      let isSent = seen.keys.contains { $0.md5 == MD5Digest(of: content) }
      if after != .remove || !isSent { violate("\(path) is lost") }
    }
    for failure in recipe.failures where failure.kind == .service && (failure.status ?? 500) >= 500 {
      violate("`failed` was called since the service was away: \(failure.message)")
    }
  }

  /// What has to be, once nothing goes wrong any more.
  private mutating func checkProgress() {
    let completed = service.entries.filter { $0.session.status == .completed }
    // A copy of what was given up stays one, whatever became of the file later.
    for (path, content) in shelf.files() where !path.hasPrefix("failed/") {
      let name = (path as NSString).lastPathComponent
      let isSent = completed.contains { entry in
        entry.bytes == content && (recipe.sendsContentOnce || isName(name, of: entry))
      }
      if !isSent {
        violate("\(path) was never sent")
      }
    }
    for entry in service.entries where entry.session.status == .pending {
      violate("\(entry.session.id) of \(entry.request.filename) is left pending")
    }
    guard after != nil else { return }
    for entry in completed {
      let completion = SimulatedRecipe.Completion(
        name: entry.request.filename, md5: MD5Digest(of: entry.bytes ?? []))
      if !recipe.completions.contains(completion) {
        violate("`completed` was never called for \(entry.session.id) of \(completion.name)")
      }
    }
  }

  /// Whether a file can be what a session was opened for: Moontide numbers a name that is taken, `f0-2.md`.
  private func isName(_ name: String, of entry: SimulatedService.Entry) -> Bool {
    let stem = (entry.request.filename as NSString).deletingPathExtension
    return name == entry.request.filename || name.hasPrefix(stem + "-")
  }

  private mutating func violate(_ message: String) {
    if !report.violations.contains(message) { report.violations.append(message) }
  }
}
