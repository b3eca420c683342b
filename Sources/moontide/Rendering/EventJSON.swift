import FileSessions
import FoundationEssentials
import Ingestion

/// An event as a line of JSON.
struct EventJSON: Encodable {
  var event: String
  var path: String?
  var recipe: String?
  var profile: String?
  /// The address of a service on the network, and the end of the key that it is used with.
  var service: String?
  var keyHint: String?
  var reason: String?
  var message: String?
  /// Where in the script a handler failed, as in a failure.
  var trace: String?
  var until: Timestamp?
  var session: FileSession?
  var failure: Failure?
  var isNew: Bool?
  var jobs: Int?
  var summary: SummaryJSON?

  /// The object for an event; nil for progress, which is for eyes only.
  ///
  /// - Parameter access: what the run sends to; nil for the embedded service.
  init?(_ event: RunEvent, at access: RemoteAccess?) {
    switch event {
    case .progress: return nil
    case .began(let recipe, let profile):
      self.init("began")
      self.recipe = recipe
      self.profile = profile
      self.service = access?.address.description
      self.keyHint = access?.keyHint
    case .resuming(let jobs):
      self.init("resuming")
      self.jobs = jobs
    case .problem(let path, let message, let trace):
      self.init("problem", path: path)
      self.message = message
      self.trace = trace
    case .skipped(let path, let reason):
      self.init("skipped", path: path.string)
      self.reason = reason
    case .deferred(let path, let moment, let reason):
      self.init("deferred", path: path.string)
      self.until = moment
      self.reason = reason
    case .waiting(let path, let reason):
      self.init("waiting", path: path.string)
      self.reason = reason.description
    case .watching(let what):
      self.init("watching")
      self.message = what
    case .caughtUp(let summary):
      self.init("caught_up")
      self.summary = SummaryJSON(summary)
    case .opened(let path, let session):
      self.init("opened", path: path.string)
      self.session = session
    case .sent(let path, let session):
      self.init("sent", path: path.string)
      self.session = session
    case .touched(let path):
      self.init("touched", path: path.string)
    case .failed(let path, let failure, let isNew):
      self.init(failure.kind == .rejected ? "rejected" : "failed", path: path.string)
      self.failure = failure
      self.isNew = isNew
    case .comesBack(let path, let failure, let moment):
      self.init("comes_back", path: path.string)
      self.failure = failure
      self.until = moment
    case .finished(let path, let what):
      self.init("finished", path: path.string)
      self.message = what
    case .stepFailed(let path, let message, let trace):
      self.init("step_failed", path: path.string)
      self.message = message
      self.trace = trace
    case .answered(let what):
      self.init("answered")
      self.message = what
    case .ended(let summary):
      self.init("summary")
      self.summary = SummaryJSON(summary)
    }
  }

  private init(_ event: String, path: String? = nil) {
    self.event = event
    self.path = path
  }

  /// One line, keys in order.
  var line: String { JSONText.line(self) }
}

/// A summary as JSON names it.
struct SummaryJSON: Encodable {
  var found, sent, alreadyDone, touched, skipped, deferred, waiting, rejected, failed, stepsFailed: Int
  var problems, left: Int
  var bytes: Int64
  var seconds: Double

  init(_ summary: RunSummary) {
    found = summary.found
    sent = summary.sent
    alreadyDone = summary.alreadyDone
    touched = summary.touched
    skipped = summary.skipped
    deferred = summary.deferred
    waiting = summary.waiting
    rejected = summary.rejected
    failed = summary.failed
    stepsFailed = summary.stepsFailed
    problems = summary.problems
    left = summary.left
    bytes = summary.bytes
    seconds = summary.duration.inSeconds
  }
}

/// JSON on one line, or spread out for reading.
enum JSONText {
  static func line(_ value: some Encodable) -> String { text(value, pretty: false) }
  static func pretty(_ value: some Encodable) -> String { text(value, pretty: true) }

  private static func text(_ value: some Encodable, pretty: Bool) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting =
      pretty
      ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
    // Our own values are all encodable; a number that is not finite is the only thing JSON cannot say.
    guard let data = try? encoder.encode(value) else { return "null" }
    return String(decoding: data, as: UTF8.self)
  }
}
