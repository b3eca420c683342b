import FileSessions
import Ingestion
import SQLiteLedger
import Workspace

/// The story of a file in words.
enum WhyText {
  static func text(_ facts: FileFacts) -> String {
    var lines = ["\(facts.path.string.printable): \(presence(facts))"]
    lines += company(facts.stories)
    var text = lines.map { $0 + "\n" }.joined() + facts.stories.map { story($0, of: facts) }.joined()
    lines = facts.traces.map { trace($0, isUntouched: facts.isUntouched($0)) }
    lines += facts.outlooks.map(outlook)
    lines += facts.pauses.map(PauseText.sentence)
    if facts.stories.isEmpty, facts.traces.isEmpty, !facts.hasRecipes {
      lines.append("No recipe has run in this project yet.")
    }
    text += lines.map { $0 + "\n" }.joined()
    return text
  }

  /// Whether the file is there, and what it is.
  static func presence(_ facts: FileFacts) -> String {
    if let whole = facts.whole { return "a part of \(whole.string.printable)" }
    let link = facts.linkTarget.map { "it is a symbolic link to \($0.printable)" }
    switch facts.presence {
    case .info(let info):
      let size = Format.bytes(info.stamp.size)
      if info.kind == .file { return link.map { "\($0), \(size)" } ?? size }
      return link.map { "\($0), \(info.kind.phrase)" } ?? "it is \(info.kind.phrase), not a file"
    case .missing: return link.map { "\($0), which is not there" } ?? "it is not there"
    case .unknown(let error): return link.map { "\($0): \(error.message)" } ?? error.message
    }
  }

  /// Where a file of Moontide's own comes from.
  private static func trace(_ trace: TraceRecord, isUntouched: Bool) -> String {
    let origin = trace.origin.map { " from \($0.printable)" } ?? ""
    return "Moontide itself put \(isUntouched ? "this" : "a") file here\(origin) (profile \(trace.profile)), "
      + (isUntouched
        ? "so it is not discovered again." : "which has changed since: with other content it is discovered.")
  }

  /// Why a recipe that has run has no record of the file.
  private static func outlook(_ outlook: FileFacts.Outlook) -> String {
    let recipe = outlook.recipe
    let name = "\(recipe.name) (\(recipe.script), profile \(recipe.profile))".printable
    return switch outlook.view {
    case nil: "\(name) names its files by itself, and has not named this one."
    case .taken: "\(name) would see it; it has not come to it since the file came, or changed."
    case .unseen(let reason): "\(name) does not see it: \(reason)\(outlook.place.printable)."
    case .withheld(let reason): "\(name) leaves it alone for now: \(reason)."
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
  ///
  /// - Parameter facts: what is known of its file beside; nil where that was not looked for.
  static func story(_ story: JobStory, of facts: FileFacts? = nil) -> String {
    let job = story.job
    var text = "\(job.key.recipe), profile \(job.key.profile): \(state(job))\n"
    if let session = job.session {
      text += "  session \(session.id) \(session.status.rawValue), \(session.filename.printable), "
      text += "\(session.mimeType), \(session.sizeBytes) bytes, opened \(session.createdAt)"
      text += session.completedAt.map { ", completed \($0)" } ?? ""
      text += session.expiresAt.map { ", expires \($0)" } ?? ""
      text += "\n"
    }
    if job.phase != .skipped, job.phase != .deferred, job.failure?.kind != .rejected,
      let deciders = job.deciders
    {
      text += "  decided by \(deciders.printable)\n"
    }
    text += preparation(of: story)
    if let data = job.data { text += "  data \(data.json.printable)\n" }
    if job.opens > 1 { text += "  tries: \(job.opens) sessions were opened\n" }
    if job.changes > 0 { text += "  changed \(Format.count(job.changes, "time")) while it was sent\n" }
    if let end = job.afterwards ?? job.failure?.movedTo.map({ "moved to \($0)" }) {
      text += "  \(end.printable)\n"
    }
    if job.tries > 0 { text += "  given up \(Format.count(job.tries, "time"))\n" }
    if job.comesBack { text += "  it has its turn again by itself, in a later run too\n" }
    if job.isToBeRetried { text += "  the next run asks the recipe again\n" }
    if let md5 = job.md5 { text += "  md5 \(md5)\n" }
    if let step = job.step {
      text += "  left to do: \(leftToDo(step, holders: facts?.holders(of: story) ?? []).printable)\n"
    }
    if facts?.isChanged(since: story) == true { text += "  the file has changed since\n" }
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

  private static func leftToDo(_ step: AfterStep, holders: [String]) -> String {
    let deed =
      switch step.action {
      case .move(let directory): "move to \(directory)"
      case .copy(let directory): "copy to \(directory)"
      case .remove: "remove"
      case .retry, nil: "what the recipe wants afterwards"
      }
    if let error = step.error { return "\(deed); the last try failed, \(error)" }
    if holders.isEmpty { return deed }
    return
      "\(deed), once \(holders.joined(separator: ", ")) \(holders.count == 1 ? "is" : "are") done with the file"
  }

  /// What is sent instead of the file, or what it is a part of.
  private static func preparation(of story: JobStory) -> String {
    guard let preparation = story.job.preparation else { return "" }
    if let whole = preparation.whole { return "  a part of \(whole.string.printable)\n" }
    if let content = preparation.content { return "  sent instead of it: \(content.path.printable)\n" }
    return preparation.parts.map { part in
      let path = story.job.key.path.string + "/" + part.name
      let size = Format.bytes(part.content.stamp.size)
      let state = story.parts.first { $0.key.path.string == path }.map(state) ?? "not begun"
      return "  part \(path.printable), \(size), as \(part.request.filename.printable): \(state)\n"
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
    let decider = job.deciders.map { " by \($0.printable)" } ?? ""
    return switch job.phase {
    case .decided: "decided; a session may be open"
    case .opened: "its session is open, the bytes are not all sent"
    case .uploaded: "its bytes are sent, the session is not completed yet"
    case .completed: "sent; what the recipe wants afterwards is left to do"
    case .done: job.session == nil ? job.reason?.printable ?? "sent" : "sent"
    case .skipped: "skipped\(decider)\(job.reason.map { ": \($0.printable)" } ?? "")"
    case .deferred:
      "deferred\(decider) until \(job.dueAt?.description ?? "the next run")\(job.reason.map { ": \($0.printable)" } ?? "")"
    case .failed where job.failure?.kind == .rejected && job.deciders != nil:
      "rejected\(decider): \(job.failure?.message.printable ?? "")"
    case .failed:
      "failed (\(job.failure?.kind.rawValue ?? "unknown")): \(job.failure?.report.printable ?? "no reason is known")"
    }
  }
}
