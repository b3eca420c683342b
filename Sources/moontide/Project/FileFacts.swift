import FileSessions
import Ingestion
import SQLiteLedger
import Workspace

/// Everything known of a file: what is on the disk, what the ledger has, and how the recipes see it.
struct FileFacts: Sendable {
  /// What is at the path.
  enum Presence: Sendable {
    case info(FileInfo)
    case missing
    case unknown(WorkspaceError)
  }

  /// How a recipe sees the file of which it has no record; nil for one that names its files by itself.
  typealias Outlook = (recipe: RecipeRecord, view: CandidateView?, place: String)

  let path: ProjectPath
  let presence: Presence
  /// Where the path is a link: where that leads, as it is written.
  let linkTarget: String?
  let stories: [JobStory]
  let traces: [TraceRecord]
  let outlooks: [Outlook]
  let pauses: [Pause]
  /// Whether any recipe has run here.
  let hasRecipes: Bool

  init(
    of path: ProjectPath, in workspace: Workspace, _ reader: LedgerReader?
  ) async throws(LedgerError) {
    self.path = path
    let stories = try await reader?.stories(of: path) ?? []
    let recipes = try await reader?.recipes() ?? []
    traces = try await reader?.traces(at: path) ?? []
    // A part is named by its whole, and no file that a recipe could see.
    let unseen = recipes.filter { recipe in
      !stories.contains { $0.job.isPart || $0.job.key.recipe == recipe.name }
    }
    (presence, linkTarget, outlooks) = await offload {
      (
        Self.presence(of: path, in: workspace), (try? workspace.linkTarget(of: path)) ?? nil,
        unseen.map { Self.outlook(of: $0, on: path, in: workspace) }
      )
    }
    pauses = outlooks.isEmpty ? [] : try await reader?.requests().pauses ?? []
    self.stories = stories
    hasRecipes = !recipes.isEmpty
  }

  /// The file that this is a part of.
  var whole: ProjectPath? { stories.lazy.compactMap { $0.job.preparation?.whole }.first }

  /// Whether the file is still as Moontide put it there.
  func isUntouched(_ trace: TraceRecord) -> Bool {
    if case .info(let info) = presence { info.stamp == trace.stamp } else { true }
  }

  private static func presence(of path: ProjectPath, in workspace: Workspace) -> Presence {
    do throws(WorkspaceError) {
      return .info(try workspace.info(path))
    } catch {
      return error.code == .notFound ? .missing : .unknown(error)
    }
  }

  private static func outlook(
    of recipe: RecipeRecord, on path: ProjectPath, in workspace: Workspace
  ) -> Outlook {
    guard let (walk, settling) = recipe.walk?.settings else { return (recipe, nil, "") }
    let view = workspace.explain(path, walk: walk, settling: settling, now: WallClock.system.now)
    guard case .unseen(let reason) = view else { return (recipe, view, "") }
    return (recipe, view, GlobPlace.phrase(of: reason, in: recipe, workspace))
  }
}
