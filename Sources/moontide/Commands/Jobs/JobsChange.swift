import ArgumentParser
import FileSessions
import Ingestion
import SQLiteLedger
import Workspace

struct JobsRetry: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Have files tried again.",
    discussion: """
      The recipe is asked again about files that failed, although neither it nor they have changed; a file that was \
      moved away when it was given up is put back. Skipped and deferred ones are named by --phase or by their path. \
      What was sent is never sent again. A process that is running is asked to do it.
      """)

  @OptionGroup var options: ProjectOptions
  @OptionGroup var filter: JobFilter

  @Flag(help: "Every file that failed.")
  var all = false

  @Argument(help: "Files, relative to the current directory or to the project.")
  var paths: [String] = []

  func validate() throws {
    let isFiltered =
      [filter.profile, filter.recipe, filter.reason].contains { $0 != nil } || filter.since != nil
      || !filter.phase.isEmpty || filter.kind != nil
    guard all || isFiltered || !paths.isEmpty else {
      throw ValidationError("Say which: paths, --recipe, --phase, --kind, --reason, --since, or --all.")
    }
    if let phase = filter.phase.first(where: { !JobKeeper.retriable.contains($0) }) {
      throw ValidationError(
        "A job in the phase \(phase.rawValue) is not tried again; failed, skipped and deferred ones are.")
    }
  }

  func run() async throws {
    let workspace = try options.openWorkspace()
    let reader = try LedgerReader.open(in: workspace)
    var selection = filter.selection(now: WallClock.system.now)
    selection.paths = try paths.map { path in try ProjectFile.resolve(path, in: workspace).string }
    if selection.phases.isEmpty {
      selection.phases =
        paths.isEmpty ? [.failed] : Phase.allCases.filter { JobKeeper.retriable.contains($0) }
    }
    try await reader.requireKnown(selection)
    try await JobOrder(workspace: workspace, request: .retry(selection)).place()
  }
}

struct JobsForget: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forget", abstract: "Forget what is known of files.",
    discussion: """
      The next run takes them as files that it has never seen. What was sent is sent again then, and Lightfield \
      deletes nothing: for such files --yes has to be given.
      """)

  @OptionGroup var options: ProjectOptions

  @Option(help: ArgumentHelp("Only at this destination.", valueName: "name"))
  var profile: String?

  @Option(help: ArgumentHelp("Only of the recipe with this name.", valueName: "name"))
  var recipe: String?

  @Flag(help: "Also files that were sent.")
  var yes = false

  @Argument(help: "Files, relative to the current directory or to the project.")
  var paths: [String]

  func run() async throws {
    let workspace = try options.openWorkspace()
    let reader = try LedgerReader.open(in: workspace)
    var selection = JobSelection()
    selection.profile = profile
    selection.recipe = recipe
    selection.paths = try paths.map { path in try ProjectFile.resolve(path, in: workspace).string }
    try await reader.requireKnown(selection)
    if !yes { try await refuseSent(selection, reader) }
    try await JobOrder(workspace: workspace, request: .forget(selection, sentToo: yes)).place()
  }

  private func refuseSent(_ selection: JobSelection, _ reader: LedgerReader) async throws(CommandFailure) {
    let sent = try await reportingLedger { () async throws(LedgerError) in
      try await reader.firstSent(selection)
    }
    guard let sent else { return }
    throw CommandFailure(
      .usage,
      "\(sent.path) was sent to \(sent.profile) for \(sent.recipe). Forgotten, it is sent a second time by the next "
        + "run, and that cannot be taken back. Say --yes if that is what you want.")
  }
}
