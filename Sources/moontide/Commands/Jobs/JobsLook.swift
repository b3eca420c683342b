import ArgumentParser
import FileSessions
import Ingestion
import SQLiteLedger
import Workspace

struct JobsList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List jobs.")

  private static let pageSize = 500

  @OptionGroup var options: ProjectOptions
  @OptionGroup var filter: JobFilter

  @Option(help: "At most so many.")
  var limit: Int?

  @Flag(help: "Print each job as a line of JSON.")
  var json = false

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit takes a number from 1.") }
  }

  func run() async throws {
    let reader = try LedgerReader.open(in: try options.openWorkspace())
    let selection = filter.selection(now: WallClock.system.now)
    var table = RowTable(heading: JobsText.heading)
    var left = limit ?? Int.max
    var position: Int64? = 0
    while let start = position, left > 0 {
      let page = try await reportingLedger { () async throws(LedgerError) in
        try await reader.jobs(selection, after: start, limit: min(left, Self.pageSize))
      }
      if json {
        let lines = page.entries.map { JSONText.line(JobJSON($0.job, changedAt: $0.changedAt)) + "\n" }
        try StandardStream.output.write(bytes: Array(lines.joined().utf8))
      } else {
        try StandardStream.output.write(bytes: Array(table.text(page.entries.map(JobsText.row)).utf8))
      }
      left -= page.entries.count
      position = page.next
    }
    if !json, left == limit ?? Int.max, StandardStream.output.isTerminal { say("No jobs.") }
  }
}

struct JobsShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show everything recorded of a file.",
    discussion: "moontide why PATH tells also why a file is not among the jobs.")

  @OptionGroup var options: ProjectOptions

  @Flag(help: "Print each job as a line of JSON, with its history.")
  var json = false

  @Argument(help: "A file, relative to the current directory or to the project.")
  var path: String

  func run() async throws {
    let workspace = try options.openWorkspace()
    let reader = try LedgerReader.open(in: workspace)
    let path = try ProjectFile.resolve(self.path, in: workspace)
    let stories = try await reportingLedger { () async throws(LedgerError) in
      try await reader.stories(of: path)
    }
    guard !stories.isEmpty else {
      throw CommandFailure(
        .filesFailed, "No recipe has a record of \(path); moontide why \(self.path) tells why.")
    }
    for story in stories {
      if json {
        say(JSONText.line(JobJSON(story)))
      } else {
        StandardStream.output.write(WhyText.story(story))
      }
    }
  }
}
