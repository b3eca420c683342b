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

  /// How a recipe sees the file as it is now, of which it has no record; nil for one that names its files by itself.
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
    let traces = try await reader?.traces(at: path) ?? []
    (presence, linkTarget, outlooks) = await offload {
      let presence = Self.presence(of: path, in: workspace)
      let unseen = recipes.filter { recipe in
        !stories.contains { story in
          let key = story.job.key
          // A part is named by its whole, and no file that a recipe could see.
          return story.job.isPart
            || key.recipe == recipe.name && key.profile == recipe.profile
              && (story.job.phase.isUnderWay || !Self.isChanged(presence, since: story))
        }
      }
      // What Moontide put there is not asked about, whatever the globs say.
      let own = Set(traces.filter { Self.isUntouched($0, presence) }.map(\.profile))
      return (
        presence, (try? workspace.linkTarget(of: path)) ?? nil,
        unseen.map { Self.outlook(of: $0, on: path, in: workspace) }
          .filter { !($0.view == .taken && own.contains($0.recipe.profile)) }
      )
    }
    self.traces = traces
    pauses = outlooks.isEmpty ? [] : try await reader?.requests().pauses ?? []
    self.stories = stories
    hasRecipes = !recipes.isEmpty
  }

  /// The file that this is a part of.
  var whole: ProjectPath? { stories.lazy.compactMap { $0.job.preparation?.whole }.first }

  /// Whether there is a file that is another one, or has another time, than the one that is recorded.
  func isChanged(since story: JobStory) -> Bool { Self.isChanged(presence, since: story) }

  private static func isChanged(_ presence: Presence, since story: JobStory) -> Bool {
    guard case .info(let info) = presence, info.kind == .file, !story.job.isPart else { return false }
    return info.stamp != story.job.stamp
  }

  /// Other recipes for which a file stays that this one is to take away.
  func rivals(of story: JobStory) -> [String] {
    let (profile, recipe) = (story.job.key.profile, story.job.key.recipe)
    let ended = Departure.Rival(progress: .ended(early: false))
    let recorded = stories.map(\.job).filter { job in
      guard job.key.profile == profile, job.stamp == story.job.stamp else { return false }
      // It is asked about it again, as if there were no record.
      if job.isRevisable, job.isToBeRetried { return true }
      if case .stay = Departure(past: ended, job: job, stamp: job.stamp) { return true }
      return false
    }.map(\.key.recipe)
    let unseen = outlooks.filter { $0.recipe.profile == profile && $0.view == .taken }.map(\.recipe.name)
    return Set(recorded + unseen).subtracting([recipe]).sorted()
  }

  /// Those of them for which it waits to be taken away.
  func holders(of story: JobStory) -> [String] {
    guard let step = story.job.step, step.error == nil, step.action?.takesAway == true else { return [] }
    return rivals(of: story)
  }

  /// Whether the file is still as Moontide put it there.
  func isUntouched(_ trace: TraceRecord) -> Bool { Self.isUntouched(trace, presence) }

  private static func isUntouched(_ trace: TraceRecord, _ presence: Presence) -> Bool {
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
