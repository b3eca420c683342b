import ArgumentParser
import Ingestion
import SQLiteLedger
import Workspace

struct Why: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell everything known of a file, and why.",
    discussion: "Works for any path of the project, also for one that no recipe has seen.")

  @OptionGroup var options: ProjectOptions

  @Flag(help: "Print JSON.")
  var json = false

  @Argument(help: "A file, or a part of one, relative to the current directory or to the project.")
  var path: String

  func run() async throws {
    let workspace = try options.openWorkspace()
    let path = try ProjectFile.resolve(self.path, in: workspace)
    do throws(LedgerError) {
      let reader = try LedgerReader(directory: workspace.statePath)
      let facts = try await FileFacts(of: path, in: workspace, reader)
      if json {
        say(JSONText.line(WhyJSON(facts)))
      } else {
        StandardStream.output.write(WhyText.text(facts))
      }
    } catch {
      throw CommandFailure(.usage, error.message)
    }
  }
}
