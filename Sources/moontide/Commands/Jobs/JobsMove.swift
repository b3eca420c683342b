import ArgumentParser
import FileSessions
import Ingestion
import SQLiteLedger
import Workspace

struct JobsExport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write the project's ledger to a file, for another machine.",
    discussion: """
      Lines of JSON, all as it is at one moment. It holds what opens sessions that are under way, so the file is \
      for you alone. Stop what is running here before it is used elsewhere.
      """)

  @OptionGroup var options: ProjectOptions

  @Argument(help: "The file, which is made.", completion: .file())
  var file: String

  func run() async throws {
    let workspace = try options.openWorkspace()
    let reader = try LedgerReader.open(in: workspace)
    let output = try TextFile(making: file)
    let count = try await reportingLedger { () async throws(LedgerError) in
      try await reader.export(at: WallClock.system.now) { line in try output.write(line) }
    }
    try output.finish()
    say("\(Format.count(count, "job")) written to \(file).")
    if LedgerReader.holder(in: workspace.statePath) != nil {
      complain("A process works with this project; what it does from here on is not in the file.", .warning)
    }
  }
}

struct JobsImport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Fill an empty ledger from a file of `moontide jobs export`.",
    discussion: "All of it or nothing. A ledger that holds something else is left as it is.")

  @OptionGroup var options: ProjectOptions

  @Argument(help: "The file.", completion: .file())
  var file: String

  func run() async throws {
    let workspace = try options.openWorkspace()
    let input = try TextFile(reading: file)
    // What cannot be imported leaves no project behind. Through a pipe it comes only once.
    if input.rewind() {
      do {
        try SQLiteLedger.check { try input.line() }
      } catch let error as LedgerError {
        throw CommandFailure(.usage, error.message)
      }
      _ = input.rewind()
    }
    try workspace.makeStateDirectory()
    let ledger = try await SQLiteLedger.take(in: workspace)
    let count = try await reportingLedger { () async throws(LedgerError) in
      try await ledger.load { try input.line() }
    }
    say(count.map { "\(Format.count($0, "job")) imported." } ?? "The ledger holds all of this already.")
  }
}
