import ArgumentParser
import FileSessions
import Ingestion
import SQLiteLedger
import Workspace

struct Jobs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What became of each file.",
    discussion: """
      A job is a file of the project, for one recipe, at one destination. Looking works while another process \
      runs.
      """,
    subcommands: [
      JobsList.self, JobsShow.self, JobsRetry.self, JobsForget.self, JobsExport.self, JobsImport.self,
    ])
}

/// Which jobs a command is about.
struct JobFilter: ParsableArguments {
  @Option(help: ArgumentHelp("Only those of this destination.", valueName: "name"))
  var profile: String?

  @Option(help: ArgumentHelp("Only those of the recipe with this name.", valueName: "name"))
  var recipe: String?

  @Option(
    help: ArgumentHelp(
      "Only those in this phase: \(Phase.allCases.map(\.rawValue).joined(separator: ", ")). May be given again.",
      valueName: "phase"))
  var phase: [Phase] = []

  @Option(
    help: ArgumentHelp(
      "Only those that failed in this way: \(Failure.Kind.allCases.map(\.rawValue).joined(separator: ", ")). "
        + "--reason is then all of the reason, as moontide status shows it.",
      valueName: "kind"))
  var kind: Failure.Kind?

  @Option(
    help: ArgumentHelp(
      "Only those with this kind or code of failure, or with these words in their reason.", valueName: "words"
    ))
  var reason: String?

  @Option(
    help: ArgumentHelp(
      "Only those whose record has changed since: 30m, 12h, 7d, or a time as in 2026-04-08T11:00:00Z.",
      valueName: "when"))
  var since: Moment?

  func selection(now: Timestamp) -> JobSelection {
    var selection = JobSelection()
    selection.profile = profile
    selection.recipe = recipe
    selection.phases = phase
    selection.kind = kind
    selection.reason = reason
    selection.since = since?.timestamp(now: now)
    return selection
  }
}

extension Phase: ExpressibleByArgument {}
extension Failure.Kind: ExpressibleByArgument {}

/// A moment of the command line: a time, or so long ago.
enum Moment: ExpressibleByArgument {
  case at(Timestamp)
  case ago(Duration)

  init?(argument: String) {
    if let time = Timestamp(argument) {
      self = .at(time)
      return
    }
    let seconds: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
    guard let unit = argument.last.flatMap({ seconds[$0] }), let number = Int64(argument.dropLast()),
      (0...1_000_000).contains(number)
    else { return nil }
    self = .ago(.seconds(number * unit))
  }

  func timestamp(now: Timestamp) -> Timestamp {
    switch self {
    case .at(let time): time
    case .ago(let duration): now + (.zero - duration)
    }
  }
}

extension LedgerReader {
  /// The project's ledger, for looking; ends the command where there is none.
  static func open(in workspace: Workspace) throws(CommandFailure) -> LedgerReader {
    do throws(LedgerError) {
      if let reader = try LedgerReader(directory: workspace.statePath) { return reader }
    } catch {
      throw CommandFailure(.usage, error.message)
    }
    throw CommandFailure(
      .usage, "There is no ledger in \(workspace.statePath): nothing has run in this project yet.")
  }
}

/// Runs `body`; what the ledger cannot do ends the command.
func reportingLedger<Value>(
  _ body: () async throws(LedgerError) -> Value
) async throws(CommandFailure) -> Value {
  do throws(LedgerError) {
    return try await body()
  } catch {
    throw CommandFailure(error.code == .owned ? .ledgerOwned : .usage, error.message)
  }
}
