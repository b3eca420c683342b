import ArgumentParser
import FileSessions
import Ingestion
import SQLiteLedger
import Workspace

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell how the project's work stands.",
    discussion:
      "Who works with it now, how many files are in which phase, what is under way, and what failed.")

  private static let listed = 20

  @OptionGroup var options: ProjectOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    let workspace = try options.openWorkspace()
    let reader = try LedgerReader.open(in: workspace)
    let status = try await reportingLedger { () async throws(LedgerError) in
      try await reader.status(listed: Self.listed)
    }
    let holder = LedgerReader.holder(in: workspace.statePath)
    let live = LiveStatus.read(from: workspace.statePath, of: holder)
    if json {
      say(JSONText.line(StatusJSON(status, holder: holder, live, projectFlags: options.flags)))
    } else {
      let width = StandardStream.output.isTerminal ? TerminalSize.of(.output).columns : nil
      StandardStream.output.write(
        StatusText.text(
          status, holder: holder, live, projectFlags: options.flags, width: width, now: WallClock.system.now))
    }
  }
}
