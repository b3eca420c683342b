import ArgumentParser
import FileSessions
import Ingestion
import LuaHost
import LuaLibrary
import SQLiteLedger
import Scripting
import Workspace

struct Exec: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a plain script from top to bottom.",
    discussion: """
      The script has the same moontide.* functions as a recipe. Words after its name are its arguments: \
      moontide.args[1], and so on.

      \(GrantFlags.help) They stand before the script.
      """)

  @OptionGroup var limits: LimitOptions
  @OptionGroup var options: ProjectOptions

  @OptionGroup var target: DestinationOptions

  @Argument(help: "The script, a Lua file.", completion: .file(extensions: ["lua"]))
  var script: String

  @Argument(parsing: .captureForPassthrough, help: "The script's arguments.")
  var arguments: [String] = []

  func run() async throws {
    let ceiling = try limits.ceiling()
    let source = try await reportingScript { () async throws(ScriptError) in
      try await ScriptSource.read(script)
    }
    let workspace = try options.openWorkspace()
    try await Destination.with(target, in: workspace, for: .work) { destination in
      try await run(source, limits: ceiling, in: workspace, into: destination)
    }
  }

  private func run(
    _ source: ScriptSource, limits: LuaLimits, in workspace: Workspace, into destination: Destination
  ) async throws {
    let ledger = try await SQLiteLedger.take(in: workspace)
    let bench = Bench(
      workspace: workspace, destination: destination, ledger: ledger,
      display: Display(style: .lines, detail: .steps, access: destination.access))
    bench.authority.warnOfStrangers(among: [script])
    let context = await bench.context(for: script, arguments: .list(arguments))
    let interruption = Interruption(stop: StopSignal(), cancelsAtOnce: true)
    let result = await interruption.watching {
      await Result { () async throws(ScriptError) in
        try await ScriptRunner.run(source, arguments: arguments, context: context, limits: limits)
      }
    }
    await bench.close()
    let pending = try await bench.pendingScriptSessions()
    for session in pending {
      bench.display.note(
        "The session \(session.id) (\(session.filename)), which \(session.script) opened, is still PENDING.")
    }
    if interruption.wasInterrupted { throw ExitStatus.interrupted }
    try await reportingScript { () async throws(ScriptError) in try result.get() }
  }
}

extension Result where Failure == ScriptError {
  fileprivate init(_ body: () async throws(Failure) -> Success) async {
    do throws(Failure) { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
