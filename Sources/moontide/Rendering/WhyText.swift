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
    guard let (walk, settling) = recipe.walk?.settings else {
      return "\(name) names its files by itself, and has not named this one."
    }
    switch workspace.explain(path, walk: walk, settling: settling, now: WallClock.system.now) {
    case .taken: return "\(name) would see it; it has not come to it since the file came."
    case .unseen(let reason):
      return "\(name) does not see it: \(reason)\(GlobPlace.phrase(of: reason, in: recipe, workspace))."
    case .withheld(let reason): return "\(name) leaves it alone for now: \(reason)."
    }
  }

  /// Says of each destination for which several recipes have taken the file that these are jobs of their own.
  static func company(_ stories: [JobStory]) -> [String] {
    Dictionary(grouping: stories.map(\.job.key), by: \.profile).sorted { $0.key < $1.key }.compactMap {
      profile, keys in
      guard keys.count > 1 else { return nil }
      let names = keys.map(\.recipe).sorted().joined(separator: ", ")
      return "\(keys.count) recipes have taken it (profile \(profile)), each for itself: \(names)."
    }
  }

  /// A job and its history.
  static func story(_ story: JobStory) -> String {
    let job = story.job
    var text = "\(job.key.recipe), profile \(job.key.profile): \(state(job))\n"
    if let session = job.session {
      text += "  session \(session.id) \(session.status.rawValue), \(session.filename.printable), "
      text += "\(session.mimeType), \(session.sizeBytes) bytes, opened \(session.createdAt)"
      text += session.completedAt.map { ", completed \($0)" } ?? ""
      text += session.expiresAt.map { ", expires \($0)" } ?? ""
      text += "\n"
    }
    text += preparation(of: job)
    if let data = job.data { text += "  data \(data.json.printable)\n" }
    if job.opens > 1 { text += "  tries: \(job.opens) sessions were opened\n" }
    if job.changes > 0 { text += "  changed \(Format.count(job.changes, "time")) while it was sent\n" }
    if let place = job.failure?.movedTo { text += "  moved to \(place.printable)\n" }
    if job.tries > 0 { text += "  given up \(Format.count(job.tries, "time"))\n" }
    if job.comesBack { text += "  it has its turn again by itself, in a later run too\n" }
    if job.isToBeRetried { text += "  the next run asks the recipe again\n" }
    if let md5 = job.md5 { text += "  md5 \(md5)\n" }
    if let step = job.step {
      text +=
        "  left to do: \(step.error.map { "the last try failed, \($0.printable)" } ?? "what the recipe wants afterwards")\n"
    }
    if let trace = job.failure?.trace {
      for line in trace.split(separator: "\n") { text += "    \(String(line).printable)\n" }
    }
    // A step that is recorded more than once on its way says nothing new.
    var last: (phase: String, note: String?)?
    for event in story.history where last?.phase != "\(event.phase)" || last?.note != event.note {
      last = ("\(event.phase)", event.note)
      text += "  \(event.at)  \(event.phase)\(event.note.map { "  \($0.printable)" } ?? "")\n"
    }
    return text
  }

  /// What is sent instead of the file, or what it is a part of.
  private static func preparation(of job: Job) -> String {
    guard let preparation = job.preparation else { return "" }
    if let whole = preparation.whole { return "  a part of \(whole.string.printable)\n" }
    if let content = preparation.content { return "  sent instead of it: \(content.path.printable)\n" }
    return preparation.parts.map { part in
      let size = Format.bytes(part.content.stamp.size)
      return
        "  part \(job.key.path.string.printable)/\(part.name.printable), \(size), as \(part.request.filename.printable)\n"
    }.joined()
  }

  private static func state(_ job: Job) -> String {
    if job.isInParts {
      switch job.phase {
      case .decided: return "under way in \(job.partKeys.count) parts"
      case .done: return "sent in \(job.partKeys.count) parts"
      default: break
      }
    }
    return switch job.phase {
    case .decided: "decided; a session may be open"
    case .opened: "its session is open, the bytes are not all sent"
    case .uploaded: "its bytes are sent, the session is not completed yet"
    case .completed: "sent; what the recipe wants afterwards is left to do"
    case .done: job.session == nil ? job.reason?.printable ?? "sent" : "sent"
    case .skipped: "skipped\(job.reason.map { ": \($0.printable)" } ?? "")"
    case .deferred:
      "deferred until \(job.dueAt?.description ?? "the next run")\(job.reason.map { ": \($0.printable)" } ?? "")"
    case .failed:
      "failed (\(job.failure?.kind.rawValue ?? "unknown")): \(job.failure?.report.printable ?? "no reason is known")"
    }
  }
}
