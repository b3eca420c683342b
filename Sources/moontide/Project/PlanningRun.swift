import FileSessions
import Ingestion
import LuaHost
import LuaLibrary
import SQLiteLedger
import Scripting
import Synchronization
import Workspace

/// A run that does nothing: recipes, engine and ledger as in a real one, over files and a service that take it all
/// and keep nothing.
struct PlanningRun: Sendable {
  /// The recipes' files, as the user named them.
  let scripts: [String]
  let arguments: [String: String]
  let limits: LuaLimits
  let allowance: Allowance
  /// Overrules the recipes' own.
  let order: CandidateOrder?
  /// The project as it is on the disk.
  let workspace: Workspace
  let destination: Destination
  let display: PlanDisplay

  /// Tells of each file of each recipe, in their order, what would be done with it.
  func run() async throws {
    let ledger = try await reportingLedger { () async throws(LedgerError) in
      try SQLiteLedger(reading: workspace.statePath, clock: .system)
    }
    let overlay = Overlay { WallClock.system.now.milliseconds * 1_000_000 }
    let stage = Stage(
      workspace: Workspace(workspace, overlay: overlay), overlay: overlay, ledger: ledger,
      destination: destination, note: display.note)
    stage.authority.warnOfStrangers(among: scripts)
    try await notePauses(in: ledger)
    var recipes: [(recipe: LuaRecipe, plan: Plan)] = []
    var quarantine: String?
    let names = RecipeNames()
    do {
      for script in scripts {
        // What those before it would record is known to it.
        let plan = Plan(over: recipes.last?.plan ?? ledger, overlay: overlay, row: display.show)
        let recipe = try await stage.load(script, arguments, limits, plan)
        recipes.append((recipe, plan))
        try names.claim(recipe.name, for: script)
      }
      // What may be begun counts over all recipes, as in a real run.
      var terms = Gate.Terms()
      terms.allowance = allowance
      terms.clock = .system
      let gate = Gate(places: 1, terms: terms)
      let engines = recipes.map { engine(for: $0.recipe, $0.plan, at: gate.join($0.recipe.name), on: stage) }
      // Those that come later find what the earlier ones would move only once all are past it.
      for engine in engines where engines.count > 1 { await engine.announce() }
      for engine in engines {
        let reason = try await run(engine)
        quarantine = quarantine ?? reason
      }
    } catch {
      for (recipe, _) in recipes { await recipe.close() }
      throw error
    }
    for (recipe, _) in recipes { await recipe.close() }
    display.end()
    if recipes.count > 1, display.leavesFiles {
      // Which file comes first in a run depends on how long each takes.
      display.note(
        "A run shares \(allowance.phrase) between its recipes as their files come up; here those of one "
          + "come after those of the other, so a run may leave other files.")
    }
    if let quarantine { throw CommandFailure(.script, quarantine) }
    if display.hasTrouble { throw ExitStatus.filesFailed }
  }

  private func engine(
    for recipe: LuaRecipe, _ plan: Plan, at seat: GateSeat, on stage: Stage
  ) -> Engine {
    var engine = Engine(
      recipe: recipe, profile: destination.profile, service: stage.service, ledger: plan,
      workspace: stage.workspace, types: stage.types, seat: seat, order: order, retry: Bench.retry,
      clock: .system, newKey: Bench.newKey, report: plan.show)
    engine.plan = plan
    return engine
  }

  /// Gives the reason why the recipe is in quarantine, if it is.
  private func run(_ engine: Engine) async throws -> String? {
    let summary = await engine.run()
    switch summary.stop {
    case .ledger(let message): throw CommandFailure(.usage, message)
    case .quarantine(let reason): return reason
    case .requested, .service, .limit, .closed, .paused, nil: return nil
    }
  }

  /// A paused run would begin nothing, whatever is planned.
  private func notePauses(in ledger: SQLiteLedger?) async throws {
    let requests = try await reportingLedger { () async throws(LedgerError) in
      try await ledger?.requests() ?? LedgerRequests()
    }
    for pause in requests.pauses where (pause.profile ?? destination.profile) == destination.profile {
      display.note("\(PauseText.sentence(pause)) A run would begin nothing of it until `moontide resume`.")
    }
  }
}

/// What recipes work with in a dry run.
private struct Stage: Sendable {
  /// The project with the overlay over it.
  let workspace: Workspace
  let overlay: Overlay
  let ledger: SQLiteLedger?
  let destination: Destination
  let note: @Sendable (String) -> Void
  let types = MIMETypes()
  let service = PlannedService(clock: .system)

  var authority: Authority {
    Authority(workspace: workspace, withheld: destination.withheld, note: note)
  }

  func load(
    _ script: String, _ arguments: [String: String], _ limits: LuaLimits, _ plan: Plan
  ) async throws(CommandFailure) -> LuaRecipe {
    let authority = authority
    return try await reportingScript { () async throws(ScriptError) in
      try await LuaRecipe.load(
        path: script, context: context(for: script, arguments, plan), limits: limits, once: once,
        permit: { request in await authority.permissions(of: script, asking: request) })
    }
  }

  private func context(
    for script: String, _ arguments: [String: String], _ plan: Plan
  ) async -> LibraryContext {
    let time = PassingTime()
    let tracer = Tracer(workspace: workspace, ledger: plan, profile: destination.profile)
    let values = ledger.map { RecipeValues(in: $0, profile: destination.profile, recipe: script.fileStem) }
    var context = LibraryContext(
      workspace: workspace, types: types, service: service,
      permissions: await authority.permissions(of: script), arguments: .named(arguments),
      environment: authority.scriptEnvironment,
      store: OverlaidScriptStore(over: values.map { LedgerStore(values: $0) }), clock: time.clock,
      sleep: Bench.sleep, newKey: Bench.newKey,
      log: { [note] line in
        let level = line.level == .info ? "" : "\(line.level.rawValue): "
        note("\(line.script): \(level)\(line.text)")
      },
      recordWrite: { path in try await tracer.record(path) })
    context.planning = Planning(
      unknown: { [note] point, handler, path in
        if let path {
          plan.unknown(point.description, handler: handler, path: path)
        } else if handler == PlanRow.discover {
          plan.unknownDiscovery(point.description)
        } else {
          note("\(script): in \(handler): \(point)")
        }
      }, pass: { time.pass($0) })
    return context
  }

  /// What earlier runs recorded, and over it what this one would.
  private var once: OnceRecord {
    let (ledger, added) = (ledger, OnceRecord.inMemory())
    return OnceRecord(
      recall: { key, label in
        if let result = try await added.recall(key, label) { return result }
        return try await ledger?.onceResult(of: key, label: label)
      }, record: added.record)
  }
}

/// The time of day, and how much of it scripts have slept through without anybody waiting.
private final class PassingTime: Sendable {
  private let passed = Mutex(Duration.zero)

  var clock: WallClock {
    WallClock { [self] in WallClock.system.now + passed.withLock { $0 } }
  }

  func pass(_ duration: Duration) {
    passed.withLock { $0 += duration }
  }
}
