import FileSessions
import Ingestion

/// An event as a line of text.
enum EventText {
  /// The line for an event; nil for those that only a progress display shows.
  static func line(for event: RunEvent) -> String? {
    switch event {
    case .began, .progress, .opened, .caughtUp, .ended:
      nil
    case .answered(let what):
      "asked     \(what.printable)"
    case .resuming(let jobs):
      "resuming  \(Format.count(jobs, "file")) that an earlier run left under way"
    case .problem(let path, let message, let trace):
      "problem   \(path.printable): \(message.printableLines)\(lines(trace))"
    case .skipped(let path, let reason):
      "skipped   \(path.string.printable)\(because(reason))"
    case .deferred(let path, let moment, let reason):
      "deferred  \(path.string.printable) until \(moment)\(because(reason))"
    case .waiting(let path, let reason):
      "waiting   \(path.string.printable): \(reason.description.printable)"
    case .watching(let what):
      what.printable
    case .sent(let path, let session):
      "sent      \(path.string.printable) → \(session.filename.printable) (\(session.id))"
    case .touched(let path):
      "touched   \(path.string.printable): the same content as was sent"
    case .failed(let path, let failure, let isNew):
      failed(path.string, failure, isNew: isNew)
    case .comesBack(let path, let failure, let moment):
      "returns   \(path.string.printable) \(moment.map { "at \($0)" } ?? "at the end"): \(failure.report.printableLines)"
    case .finished(let path, let what):
      "          \(path.string.printable) \(what.printable)"
    case .stepFailed(let path, let message, let trace):
      "unfinished \(path.string.printable): \(message.printableLines)\(lines(trace))"
    }
  }

  /// Whether the event tells of something that went wrong.
  static func isTrouble(_ event: RunEvent) -> Bool {
    switch event {
    case .problem, .failed, .comesBack, .stepFailed: true
    case .began, .resuming, .skipped, .deferred, .waiting, .opened, .progress, .sent, .touched, .finished,
      .answered, .watching, .caughtUp, .ended:
      false
    }
  }

  private static func because(_ reason: String?) -> String {
    reason.map { ": \($0.printable)" } ?? ""
  }

  private static func failed(_ path: String, _ failure: Failure, isNew: Bool) -> String {
    let word = failure.kind == .rejected ? "rejected  " : "failed    "
    let again = isNew ? "" : " (as before; it is tried again when the file or the recipe changes)"
    return word + path.printable + ": " + failure.report.printableLines + again
      + (isNew ? lines(failure.trace) : "")
  }

  /// The lines of a trace, each below the event.
  private static func lines(_ trace: String?) -> String {
    (trace ?? "").split(separator: "\n").map { "\n            " + String($0).printable }.joined()
  }
}

extension RunSummary {
  /// The count in one line.
  func text(recipe: String) -> String {
    var parts = [
      "\(found) found", "\(sent) sent", "\(alreadyDone) already done", "\(touched) touched",
      "\(skipped) skipped", "\(rejected) rejected", "\(failed) failed",
    ]
    if deferred > 0 { parts.append("\(deferred) deferred") }
    if waiting > 0 { parts.append("\(waiting) waiting") }
    if stepsFailed > 0 { parts.append("\(stepsFailed) unfinished") }
    if problems > 0 { parts.append(Format.count(problems, "problem")) }
    if left > 0 { parts.append("\(left) left for the next run") }
    return
      "\(recipe): \(parts.joined(separator: ", ")); \(Format.bytes(bytes)) in \(Format.duration(duration))"
  }
}
