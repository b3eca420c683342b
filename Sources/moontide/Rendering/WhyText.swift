import FileSessions
import Ingestion
import SQLiteLedger
import Workspace

/// The story of a file in words.
enum WhyText {
  /// Whether the file is there, and what it is. Blocks.
  static func presence(of path: ProjectPath, in workspace: Workspace) -> String {
    do throws(WorkspaceError) {
      let info = try workspace.info(path)
      return info.kind == .file ? Format.bytes(info.stamp.size) : "it is \(info.kind.phrase), not a file"
    } catch {
      return error.code == .notFound ? "it is not there" : error.message
    }
  }

  /// Why a recipe that has run has no record of the file. Blocks.
  static func view(of path: ProjectPath, by recipe: RecipeRecord, in workspace: Workspace) -> String {
    let name = "\(recipe.name) (\(recipe.script), profile \(recipe.profile))"
    guard let walk = recipe.walk, let root = try? ProjectPath(walk.root),
      let globs = try? GlobSet(include: walk.include, exclude: walk.exclude)
    else { return "\(name) names its files by itself, and has not named this one." }
    switch workspace.explain(path, root: root, globs: globs, hidden: walk.hidden) {
    case .visible: return "\(name) would see it; it has not run since the file came."
    case let reason: return "\(name) does not see it: \(reason)."
    }
  }

  /// A job and its history.
  static func story(_ story: JobStory) -> String {
    let job = story.job
    var text = "\(job.key.recipe), profile \(job.key.profile): \(state(job))\n"
    if let session = job.session {
      text += "  session \(session.id) \(session.status.rawValue), \(session.filename.printable), "
      text += "\(session.mimeType), \(session.sizeBytes) bytes\n"
    }
    if let md5 = job.md5 { text += "  md5 \(md5)\n" }
    if let step = job.step {
      text +=
        "  left to do: \(step.error.map { "the last try failed, \($0.printable)" } ?? "what the recipe wants afterwards")\n"
    }
    if let trace = job.failure?.trace {
      for line in trace.split(separator: "\n") { text += "    \(String(line).printable)\n" }
    }
    for event in story.history {
      text += "  \(event.at)  \(event.phase)\(event.note.map { "  \($0.printable)" } ?? "")\n"
    }
    return text
  }

  private static func state(_ job: Job) -> String {
    switch job.phase {
    case .decided: "decided; a session may be open"
    case .opened: "its session is open, the bytes are not all sent"
    case .uploaded: "its bytes are sent, the session is not completed yet"
    case .completed: "sent; what the recipe wants afterwards is left to do"
    case .done: "sent"
    case .skipped: "skipped\(job.reason.map { ": \($0.printable)" } ?? "")"
    case .deferred:
      "deferred until \(job.dueAt?.description ?? "the next run")\(job.reason.map { ": \($0.printable)" } ?? "")"
    case .failed:
      "failed (\(job.failure?.kind.rawValue ?? "unknown")): \(job.failure?.report.printable ?? "no reason is known")"
    }
  }
}
