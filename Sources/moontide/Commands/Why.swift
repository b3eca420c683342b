import ArgumentParser
import FileSessions
import Ingestion
import SQLiteLedger
import Workspace

struct Why: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell everything known of a file, and why.",
    discussion: "Works for any path of the project, also for one that no recipe has seen.")

  @OptionGroup var options: ProjectOptions

  @Argument(help: "A file, relative to the current directory or to the project.")
  var path: String

  func run() async throws {
    let workspace = try options.openWorkspace()
    let path = try ProjectFile.resolve(self.path, in: workspace)
    do throws(LedgerError) {
      let reader = try LedgerReader(directory: workspace.statePath)
      let stories = try await reader?.stories(of: path) ?? []
      let traces = try await reader?.traces(at: path) ?? []
      let recipes = try await reader?.recipes() ?? []
      let unseen = recipes.filter { recipe in !stories.contains { $0.job.key.recipe == recipe.name } }
      let views = await offload { unseen.map { WhyText.view(of: path, by: $0, in: workspace) } }
      let presence = await offload { WhyText.presence(of: path, in: workspace) }
      say(path.string.printable + ": " + presence)
      for note in WhyText.company(stories) { say(note) }
      for story in stories { StandardStream.output.write(WhyText.story(story)) }
      for profile in traces {
        say("Moontide itself put this file here (profile \(profile)), so it is not discovered again.")
      }
      for view in views { say(view) }
      if !views.isEmpty {
        for pause in try await reader?.requests().pauses ?? [] { say(PauseText.sentence(pause)) }
      }
      if stories.isEmpty, traces.isEmpty, recipes.isEmpty { say("No recipe has run in this project yet.") }
    } catch {
      throw CommandFailure(.usage, error.message)
    }
  }
}
