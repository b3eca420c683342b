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

      Ctrl-C finishes what is under way and begins nothing new; a second one cancels what is under way.

      With --watch it goes on with what comes until it is stopped. A recipe that is changed, or a SIGHUP, loads \
      it anew; one that does not load leaves the last one running.

      \(GrantFlags.help)
      """)

  @Argument(
    help: ArgumentHelp("The recipe, a Lua file.", valueName: "recipe"), completion: .file(extensions: ["lua"])
  )
  var recipePath: String

  @OptionGroup var arguments: ArgumentOptions

  @Flag(help: "Go on with the files that come, until stopped.")
  var watch = false

  @Option(help: "How many files are under way at once.")
  var transfers = 8

  @OptionGroup var plan: PlanOptions
  @OptionGroup var allowance: AllowanceOptions
  @OptionGroup var limits: LimitOptions
  @OptionGroup var options: ProjectOptions

  @OptionGroup var target: DestinationOptions

  @Flag(help: "Wait while another process works with this project, instead of ending with status 5.")
  var wait = false

  @Flag(help: "Print each event as a line of JSON.")
  var json = false

  @Flag(help: "Print only what went wrong.")
  var quiet = false

  func validate() throws {
    guard (1...256).contains(transfers) else {
      throw ValidationError("--transfers takes a number from 1 to 256.")
    }
    guard !plan.dryRun || (!watch && !wait) else {
      throw ValidationError("--dry-run neither watches nor waits; leave out --watch and --wait.")
    }
    guard !watch || allowance.allowance == .all else {
      throw ValidationError("--max-files and --max-bytes are for a run that ends; --watch does not.")
    }
  }

  func run() async throws {
    if plan.dryRun { return try await tellPlan() }
    // Read before anything is made: a mistyped name leaves no trace.
    let ceiling = try limits.ceiling()
    _ = try await reportingScript { () async throws(ScriptError) in try await ScriptSource.read(recipePath) }
    let workspace = try options.openWorkspace()
    try await Destination.with(target, in: workspace, for: .work) { destination in
      try await run(limits: ceiling, in: workspace, into: destination)
    }
  }

  private func tellPlan() async throws {
    let ceiling = try limits.ceiling()
    let workspace = try options.openWorkspace()
    try await Destination.with(target, in: workspace, for: .plan) { destination in
      let display = PlanDisplay(isJSON: json, isQuiet: quiet)
      display.headline(destination.headline)
      try await PlanningRun(
        scripts: [recipePath], arguments: arguments.byName, limits: ceiling,
        allowance: allowance.allowance, workspace: workspace, destination: destination, display: display
      ).run()
    }
  }

  private func run(
    limits: LuaLimits, in workspace: Workspace, into destination: Destination
  ) async throws {
    let display = Display(
      style: Display.style(json: json, quiet: quiet), access: destination.access)
    display.headline(destination.headline)
    let ledger = try await SQLiteLedger.take(in: workspace, waiting: wait, note: display.note)
    let bench = Bench(workspace: workspace, destination: destination, ledger: ledger, display: display)
    bench.authority.warnOfStrangers(among: [recipePath])
    let loader = RecipeLoader(script: recipePath, arguments: arguments.byName, limits: limits, bench: bench)
    let recipe = try await loader.load()

    let stop = StopSignal()
    let hangUp = Bell()
    let onHangUp: @Sendable () -> Void = { hangUp.ring() }
    let interruption = Interruption(
      stop: stop, announce: display.note, onHangUp: watch ? onHangUp : nil)
    let summary: RunSummary
    if watch {
      let watching = WatchingRun(loader: loader, transfers: transfers, stop: stop, hangUp: hangUp)
      summary = await interruption.watching { await watching.run(recipe) }
    } else {
      let engine = bench.engine(for: recipe, transfers: transfers, allowance: allowance.allowance, stop: stop)
      summary = await interruption.watching { await engine.run() }
      await recipe.close()
    }
    await bench.close()
    try end(summary, at: destination, wasInterrupted: interruption.wasInterrupted)
  }

  /// Tells why a run ended early, and ends with the status that says how it went.
  private func end(_ summary: RunSummary, at destination: Destination, wasInterrupted: Bool) throws {
    let left = "\(Format.count(summary.left, "file")) left; run again to send them."
    switch summary.stop {
    case .requested:
      throw wasInterrupted ? ExitStatus.interrupted : .done
    case .service(let error):
      throw CommandFailure(.service, "\(ServiceErrorText.text(error, at: destination)) \(left)")
    case .ledger(let message):
      throw CommandFailure(.filesFailed, "The run ended, since its record cannot be kept: \(message) \(left)")
    case .quarantine(let reason):
      throw CommandFailure(.script, "\(reason) \(left)")
    case .limit(let allowance):
      throw CommandFailure(.limited, "No more than \(allowance.phrase) was asked for: \(left)")
    case .paused(let pause):
      throw CommandFailure(
        .limited, "\(PauseText.sentence(pause)) Nothing new was begun; `moontide resume` ends it.")
    case nil:
      if !summary.isClean { throw ExitStatus.filesFailed }
    }
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
