import FileSessions
import Ingestion

/// An event as a line of text.
enum EventText {
  /// The line for an event; nil for those that are not told at this detail.
  static func line(for event: RunEvent, _ detail: Display.Detail) -> String? {
    switch event {
    case .began, .alive, .heldUp, .foundAll, .progress, .caughtUp, .ended:
      nil
    case .decided, .opened, .left, .retrying:
      detail == .outcomes ? nil : step(event)
    case .noted(let path, let what):
      "note      \(path.string.printable) \(what.printable)"
    case .answered(let what):
      "asked     \(what.printable)"
    case .resuming(let jobs):
      "resuming  \(Format.count(jobs, "file")) that an earlier run left under way"
    case .problem(let path, let message, let trace):
      "problem   \(path.printable): \(below(message))\(lines(trace))"
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
    case .cancelled(let path, let session):
      "cancelled \(path.string.printable) (\(session.id)); the next run sends it"
    case .touched(let path):
      "touched   \(path.string.printable): the same content as was sent"
    case .failed(let path, let failure, let isNew):
      failed(path.string, failure, isNew: isNew)
    case .comesBack(let path, let failure, let moment):
      "returns   \(path.string.printable) \(moment.map { "at \($0)" } ?? "at the end"): \(below(failure.report))"
    case .finished(let path, let what):
      "          \(path.string.printable) \(what.printable)"
    case .stepFailed(let path, let message, let trace):
      "unfinished \(path.string.printable): \(below(message))\(lines(trace))"
    }
  }

  /// How grave it is.
  static func level(of event: RunEvent) -> Level {
    switch event {
    case .failed(_, let failure, _): failure.kind == .rejected ? .warning : .error
    case .problem, .stepFailed: .error
    case .comesBack: .warning
    case .retrying, .decided, .alive, .heldUp, .foundAll, .opened, .progress, .left: .debug
    case .began, .resuming, .answered, .watching, .caughtUp, .ended: .notice
    case .skipped, .deferred, .waiting, .sent, .touched, .finished, .cancelled, .noted: .info
    }
  }

  /// Whether nothing goes on after it for a while, or for ever.
  static func isPause(_ event: RunEvent) -> Bool {
    switch event {
    case .caughtUp, .ended, .watching: true
    default: false
    }
  }

  /// The line of an event for a terminal: what went wrong has its first word in colour.
  static func painted(_ line: String, _ event: RunEvent, _ look: TerminalLook) -> String {
    let word = String(line.prefix { $0 != " " })
    let painted: String
    switch level(of: event) {
    case .error: painted = look.red(word)
    case .warning: painted = look.yellow(word)
    case .notice, .info, .debug: return line
    }
    return painted + line.dropFirst(word.count)
  }

  /// The line for a call of the service.
  static func line(for call: CallRecord) -> String {
    var line = "call      \(call.name.printable) "
    line += call.status.map { "\($0) in " } ?? "no answer in "
    line += Format.milliseconds(call.duration)
    let more = [call.error, call.requestID].compactMap { $0?.printable }
    return more.isEmpty ? line : "\(line) (\(more.joined(separator: ", ")))"
  }

  /// The line of a step on a file's way.
  private static func step(_ event: RunEvent) -> String? {
    switch event {
    case .decided(let path, let request):
      "decided   \(path.string.printable) → \(request.filename.printable) (\(request.mimeType.printable)"
        + (request.purpose.map { ", \($0.rawValue.printable)" } ?? "")
        + ", \(Format.bytes(request.sizeBytes)))"
    case .opened(let path, let session):
      "opened    \(path.string.printable): \(session.id.printable)"
        + (session.expiresAt.map { ", expires \($0)" } ?? "")
    case .left(let path):
      "left      \(path.string.printable): its turn comes again"
    case .retrying(let path, let call, let error, let wait):
      "again     \(path.string.printable): \(call) in \(Format.duration(wait)), since \(error.message.printable)"
    default:
      nil
    }
  }

  private static func because(_ reason: String?) -> String {
    reason.map { ": \($0.printable)" } ?? ""
  }

  private static func failed(_ path: String, _ failure: Failure, isNew: Bool) -> String {
    let word = failure.kind == .rejected ? "rejected  " : "failed    "
    let again = isNew ? "" : " (as before; it is tried again when the file or the recipe changes)"
    return word + path.printable + ": " + below(failure.report) + again
      + (isNew ? lines(failure.trace) : "")
  }

  /// A message, the further lines of which stand below the event.
  private static func below(_ message: String) -> String {
    let parts = message.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
    return String(parts.first ?? "").printableLines + lines(parts.count > 1 ? String(parts[1]) : nil)
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

extension [RunSummary] {
  /// What those amounted to that ran side by side.
  var total: RunSummary {
    var total = RunSummary()
    for summary in self { total.add(summary) }
    total.duration = map(\.duration).max() ?? .zero
    return total
  }
}
