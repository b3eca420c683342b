import ArgumentParser
import Ingestion
import SQLiteLedger
import Workspace

/// What a pause is about.
struct PauseScope: ParsableArguments {
  @OptionGroup var options: ProjectOptions

  @Option(help: ArgumentHelp("Only this destination.", valueName: "name"))
  var profile: String?

  @Option(help: ArgumentHelp("Only the recipe with this name.", valueName: "name"))
  var recipe: String?

  /// `local, recipe handbook`; empty for everything.
  var phrase: String { PauseText.scope(profile: profile, recipe: recipe) }

  func open() throws(CommandFailure) -> (desk: LedgerDesk, reader: LedgerReader) {
    let workspace = try options.openWorkspace()
    let reader = try LedgerReader.open(in: workspace)
    do throws(LedgerError) {
      return (try LedgerDesk(directory: workspace.statePath, clock: .system), reader)
    } catch {
      throw CommandFailure(.usage, error.message)
    }
  }
}

struct PauseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Begin nothing new, until `moontide resume`.",
    discussion: """
      Holds for a process that is running, which finishes what is under way, and for those that are started later; \
      a run that is paused ends with status 6, one that watches waits.
      """)

  @OptionGroup var scope: PauseScope

  func run() async throws {
    let (desk, reader) = try scope.open()
    // It may be for one that is about to run here for the first time.
    if let doubt = try await reader.doubt(profile: scope.profile, recipe: scope.recipe) {
      complain(doubt, .warning)
    }
    try await reportingLedger { () async throws(LedgerError) in
      try await desk.pause(profile: scope.profile, recipe: scope.recipe)
    }
    say("Paused: \(scope.phrase). `moontide resume` ends it.")
  }
}

struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "End what `moontide pause` began.")

  @OptionGroup var scope: PauseScope

  func run() async throws {
    let desk = try scope.open().desk
    let count = try await reportingLedger { () async throws(LedgerError) in
      try await desk.resume(profile: scope.profile, recipe: scope.recipe)
    }
    if count > 0 { return say("No longer paused: \(scope.phrase).") }
    let isAll = scope.profile == nil && scope.recipe == nil
    say(isAll ? "Nothing was paused." : "There was no pause of \(scope.phrase).")
  }
}
