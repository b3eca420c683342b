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

      Ctrl-C finishes what is under way and begins nothing new; a second one cancels what is under way, a third ends \
      the process at once. The next run does what is left.

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

  @OptionGroup var output: OutputOptions
  @OptionGroup var shutdown: ShutdownOptions
  @OptionGroup var metrics: MetricsOptions

  func validate() throws {
    guard (1...256).contains(transfers) else {
      throw ValidationError("--transfers takes a number from 1 to 256.")
    }
    guard !watch || allowance.allowance == .all else {
      throw ValidationError("--max-files and --max-bytes are for a run that ends; --watch does not.")
    }
  }

  func run() async throws {
    // Read before anything is made: a mistyped name leaves no trace.
    let ceiling = try limits.ceiling()
    _ = try await reportingScript { () async throws(ScriptError) in try await ScriptSource.read(recipePath) }
    let workspace = try options.openWorkspace()
    try await Destination.with(target, in: workspace, for: .work) { destination in
      try await run(limits: ceiling, in: workspace, into: destination)
    }
  }

  private func run(
    limits: LuaLimits, in workspace: Workspace, into destination: Destination
  ) async throws {
    LineFormat.ask(for: output.logFormat)
    let display = Display(
      style: Display.style(json: json, quiet: quiet), detail: output.detail, access: destination.access,
      projectFlags: options.flags)
    let metrics = metrics.metrics.map { _ in
      RunMetrics(statePath: workspace.statePath) { display.progress }
    }
    if let metrics { display.tell { metrics.note($0) } }
    destination.calls.listen { call in
      display.show(call)
      metrics?.note(call)
    }
    display.headline(destination.headline)
    let ledger = try await SQLiteLedger.take(in: workspace, waiting: wait, note: display.note)
    let bench = Bench(
      workspace: workspace, destination: destination, ledger: ledger, display: display, metrics: metrics)
    bench.authority.warnOfStrangers(among: [recipePath])
    let loader = RecipeLoader(script: recipePath, arguments: arguments.byName, limits: limits, bench: bench)
    let recipe = try await loader.load()

    let pulse = RunPulse(
      display, statePath: workspace.statePath, clock: .system,
      manager: ServiceManager(LaunchEnvironment.variables))
    let stop = StopSignal()
    stop.whenRequested { pulse.stopping() }
    let hangUp = Bell()
    let onHangUp: @Sendable () -> Void = {
      pulse.reloading()
      hangUp.ring()
    }
    let interruption = Interruption(
      stop: stop, drainTimeout: shutdown.drainTimeout.duration, onHangUp: watch ? onHangUp : nil,
      announce: display.announce)
    let summary = try await self.metrics.serving(metrics, note: display.note) {
      await pulse.beating {
        guard watch else {
          let engine = bench.engine(
            for: recipe, transfers: transfers, allowance: allowance.allowance, stop: stop)
          let summary = await interruption.watching { await engine.run() }
          await recipe.close()
          return summary
        }
        let watching = WatchingRun(
          loader: loader, transfers: transfers, stop: stop, hangUp: hangUp, onReload: pulse.reloaded)
        return await interruption.watching { await watching.run(recipe) }
      }
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
