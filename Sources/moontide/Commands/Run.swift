import ArgumentParser
import FileSessions
import Foundation
import Ingestion
import LuaHost
import LuaLibrary
import SQLiteLedger
import Scripting
import Workspace

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ingest the files that a recipe describes.",
    discussion: """
      Each file is sent once. Run again, after a crash too, it does only what is left.

      Several recipes share --max-files, --max-bytes and the places of --transfers, for which they take turns. One \
      that fails does not stop the others; the exit status is the worst of theirs.

      Ctrl-C finishes what is under way and begins nothing new; a second one cancels what is under way, a third ends \
      the process at once. The next run does what is left.

      With --watch it goes on with what comes until it is stopped. A recipe that is changed, or a SIGHUP, loads \
      it anew; one that does not load leaves the last one running.

      \(GrantFlags.help)
      """)

  @Argument(
    help: ArgumentHelp("The recipe, a Lua file; several run side by side.", valueName: "recipe"),
    completion: .file(extensions: ["lua"])
  )
  var recipePaths: [String]

  @OptionGroup var arguments: ArgumentOptions

  @Flag(help: "Go on with the files that come, until stopped.")
  var watch = false

  @Option(help: "How many files are under way at once, of all recipes together.")
  var transfers = 8

  @OptionGroup var plan: PlanOptions
  @OptionGroup var allowance: AllowanceOptions
  @OptionGroup var load: LoadOptions
  @OptionGroup var limits: LimitOptions
  @OptionGroup var options: ProjectOptions

  @OptionGroup var target: DestinationOptions

  @Flag(
    help:
      "Wait while another process works with this project, and for --window, instead of ending with 5 or 6.")
  var wait = false

  @Flag(help: "Print each event as a line of JSON.")
  var json = false

  @Flag(help: "Print only what went wrong.")
  var quiet = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var shutdown: ShutdownOptions
  @OptionGroup var metrics: MetricsOptions

  func validate() throws {
    guard (1...256).contains(transfers) else {
      throw ValidationError("--transfers takes a number from 1 to 256.")
    }
    guard !plan.dryRun || (!watch && !wait) else {
      throw ValidationError("--dry-run neither watches nor waits; leave out --watch and --wait.")
    }
    guard !plan.dryRun || metrics.metrics == nil else {
      throw ValidationError("--dry-run counts nothing that is served; leave out --metrics.")
    }
    guard !plan.dryRun || !options.adoptState else {
      throw ValidationError(
        "--dry-run changes nothing; say --adopt-state with a command that does, such as moontide status.")
    }
    guard !watch || allowance.allowance == .all else {
      throw ValidationError("--max-files and --max-bytes are for a run that ends; --watch does not.")
    }
  }

  func run() async throws {
    if plan.dryRun { return try await tellPlan() }
    // Read before anything is made: a mistyped name leaves no trace.
    let ceiling = try limits.ceiling()
    for path in recipePaths {
      _ = try await reportingScript { () async throws(ScriptError) in try await ScriptSource.read(path) }
    }
    try RecipeParty.checkNoneTwice(recipePaths)
    let workspace = try options.openWorkspace()
    try await Destination.with(target, in: workspace, for: .work) { destination in
      try await run(limits: ceiling, in: workspace, into: destination)
    }
  }

  private func tellPlan() async throws {
    let ceiling = try limits.ceiling()
    try RecipeParty.checkNoneTwice(recipePaths)
    let workspace = try options.openWorkspace()
    try await Destination.with(target, in: workspace, for: .plan) { destination in
      let display = PlanDisplay(isJSON: json, isQuiet: quiet, hasSeveral: recipePaths.count > 1)
      display.headline(destination.headline)
      if let notice = load.hours?.notice { display.note(notice) }
      try await PlanningRun(
        scripts: recipePaths, arguments: arguments.byName, limits: ceiling,
        allowance: allowance.allowance, order: load.order, workspace: workspace, destination: destination,
        display: display
      ).run()
    }
  }

  private func run(
    limits: LuaLimits, in workspace: Workspace, into destination: Destination
  ) async throws {
    LineFormat.ask(for: output.logFormat)
    let display = Display(
      style: Display.style(json: json, quiet: quiet), detail: output.detail, access: destination.access,
      hasSeveral: recipePaths.count > 1, projectFlags: options.flags)
    let metrics = metrics.metrics.map { _ in
      RunMetrics(statePath: workspace.statePath) { display.progress }
    }
    if let metrics { display.tell { metrics.note($0, of: $1) } }
    destination.calls.listen { call in
      display.show(call)
      metrics?.note(call)
    }
    display.headline(destination.headline)
    let ledger = try await SQLiteLedger.take(in: workspace, waiting: wait, note: display.note)
    var bench = Bench(
      workspace: workspace, destination: destination, ledger: ledger, display: display, metrics: metrics)
    let gate = load.gate(places: transfers, allowance: allowance.allowance, waits: wait && !watch)
    bench.order = load.order
    bench.throttle = gate.terms.throttle
    bench.authority.warnOfStrangers(among: recipePaths)
    let pulse = RunPulse(
      display, statePath: workspace.statePath, clock: .system,
      manager: ServiceManager(LaunchEnvironment.variables), hours: load.window)
    let (stop, names) = (StopSignal(), RecipeNames())
    stop.whenRequested { pulse.stopping() }
    let party = RecipeParty(
      loaders: recipePaths.map { script in
        RecipeLoader(script: script, arguments: arguments.byName, limits: limits, bench: bench, names: names)
      }, gate: gate, stop: stop, watch: watch, pulse: pulse)
    let recipes = try await party.load()
    let interruption = Interruption(
      stop: stop, drainTimeout: shutdown.drainTimeout.duration, onHangUp: party.onHangUp,
      announce: display.announce)
    let outcomes = try await self.metrics.serving(metrics, note: display.note) {
      await pulse.beating { await interruption.watching { await party.run(recipes) } }
    }
    await bench.close()
    if outcomes.count > 1 { display.total(outcomes.map(\.summary).total) }
    try RunEnding(outcomes, at: destination, wasInterrupted: interruption.wasInterrupted).finish()
  }
}

/// Runs `body`; a script that does not load, or fails, ends the command with its report.
func reportingScript<Value>(
  _ body: () async throws(ScriptError) -> Value
) async throws(CommandFailure) -> Value {
  do throws(ScriptError) {
    return try await body()
  } catch {
    throw CommandFailure(error.code == .cancelled ? .interrupted : .script, error.report)
  }
}
