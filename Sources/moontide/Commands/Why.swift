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
    let path = try resolve(in: workspace)
    do throws(LedgerError) {
      let reader = try LedgerReader(directory: workspace.statePath)
      let stories = try await reader?.stories(of: path) ?? []
      let traces = try await reader?.traces(at: path) ?? []
      let recipes = try await reader?.recipes() ?? []
      let unseen = recipes.filter { recipe in !stories.contains { $0.job.key.recipe == recipe.name } }
      let views = await offload { unseen.map { WhyText.view(of: path, by: $0, in: workspace) } }
      let presence = await offload { WhyText.presence(of: path, in: workspace) }
      say(path.string.printable + ": " + presence)
      for story in stories { StandardStream.output.write(WhyText.story(story)) }
      for profile in traces {
        say("Moontide itself put this file here (profile \(profile)), so it is not discovered again.")
      }
      for view in views { say(view) }
      if stories.isEmpty, traces.isEmpty, recipes.isEmpty { say("No recipe has run in this project yet.") }
    } catch {
      throw CommandFailure(.usage, error.message)
    }
  }

  /// The path relative to the current directory where that is below the project, else to the project.
  private func resolve(in workspace: Workspace) throws(CommandFailure) -> ProjectPath {
    do throws(WorkspaceError) {
      if path.hasPrefix("/") { return try workspace.path(path) }
      let here = try? workspace.path(CurrentDirectory.path)
      let local = try here?.appending(path)
      if let local, (try? workspace.exists(local)) == true { return local }
      let fromRoot = try workspace.path(path)
      return (try? workspace.exists(fromRoot)) == true ? fromRoot : local ?? fromRoot
    } catch {
      throw CommandFailure(.usage, error.message)
    }
  }
}
