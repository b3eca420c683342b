import FileSessions
import FoundationEssentials
import Ingestion

/// An event as a line of JSON; `docs/events.md` tells which fields each has.
struct EventJSON: Encodable {
  /// Changes when the meaning of a field does.
  var v = 1
  var event: EventName
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
  /// What the service is asked for.
  var request: NewFile?
  var session: FileSession?
  var failure: Failure?
  var isNew: Bool?
  var jobs: Int?
  /// A call of the service, what it ended with, and how long it took or is waited for.
  var call: String?
  var status: Int?
  var error: String?
  var requestID: String?
  var seconds: Double?
  /// Files that failed for one reason, and the command that tries them again.
  var kind: Failure.Kind?
  var count: Int?
  var paths: [String]?
  var again: String?
  var summary: SummaryJSON?

  typealias CodingKeys = EventField

  /// The object for an event; nil for what is for eyes only.
  ///
  /// - Parameter access: what the run sends to; nil for the embedded service.
  init?(_ event: RunEvent, of recipe: String, at access: RemoteAccess?) {
    self.init(event, at: access)
    self.recipe = recipe
  }

  /// What several recipes amounted to together.
  init(total: RunSummary) {
    self.init(.total)
    summary = SummaryJSON(total)
  }

  private init?(_ event: RunEvent, at access: RemoteAccess?) {
    switch event {
    case .progress, .foundAll, .alive, .heldUp: return nil
    case .began(_, let profile):
      self.init(.began)
      self.profile = profile
      self.service = access?.address.description
      self.keyHint = access?.keyHint
    case .resuming(let jobs):
      self.init(.resuming)
      self.jobs = jobs
    case .problem(let path, let message, let trace):
      self.init(.problem, path: path)
      self.message = message
      self.trace = trace
    case .skipped(let path, let reason):
      self.init(.skipped, path: path.string)
      self.reason = reason
    case .deferred(let path, let moment, let reason):
      self.init(.deferred, path: path.string)
      self.until = moment
      self.reason = reason
    case .waiting(let path, let reason):
      self.init(.waiting, path: path.string)
      self.reason = reason.description
    case .watching(let what):
      self.init(.watching)
      self.message = what
    case .caughtUp(let summary):
      self.init(.caughtUp)
      self.summary = SummaryJSON(summary)
    case .decided(let path, let request):
      self.init(.decided, path: path.string)
      self.request = request
    case .retrying(let path, let call, let error, let wait):
      self.init(.retrying, path: path.string)
      self.call = call
      self.error = error.kind.rawValue
      self.message = error.message
      self.status = error.status
      self.requestID = error.requestID
      self.seconds = wait.inSeconds
    case .cancelled(let path, let session):
      self.init(.cancelled, path: path.string)
      self.session = session
    case .left(let path):
      self.init(.left, path: path.string)
    case .opened(let path, let session):
      self.init(.opened, path: path.string)
      self.session = session
    case .sent(let path, let session):
      self.init(.sent, path: path.string)
      self.session = session
    case .touched(let path):
      self.init(.touched, path: path.string)
    case .failed(let path, let failure, let isNew):
      self.init(failure.kind == .rejected ? .rejected : .failed, path: path.string)
      self.failure = failure
      self.isNew = isNew
    case .comesBack(let path, let failure, let moment):
      self.init(.comesBack, path: path.string)
      self.failure = failure
      self.until = moment
    case .finished(let path, let what):
      self.init(.finished, path: path.string)
      self.message = what
    case .stepFailed(let path, let message, let trace):
      self.init(.stepFailed, path: path.string)
      self.message = message
      self.trace = trace
    case .noted(let path, let what):
      self.init(.noted, path: path.string)
      self.message = what
    case .answered(let what):
      self.init(.answered)
      self.message = what
    case .ended(let summary):
      self.init(.summary)
      self.summary = SummaryJSON(summary)
    }
  }

  /// The object for what a call of the service came to.
  init(_ call: CallRecord) {
    self.init(.call)
    self.call = call.name
    self.status = call.status
    self.error = call.error
    self.requestID = call.requestID
    self.seconds = call.duration.inSeconds
  }

  /// The object for files that failed for one reason.
  init(_ group: FailureRollup.Group) {
    self.init(.failures)
    self.recipe = group.recipe
    self.kind = group.kind
    self.reason = group.reason
    self.count = group.count
    self.paths = group.paths
    self.again = group.command
  }

  private init(_ event: EventName, path: String? = nil) {
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
