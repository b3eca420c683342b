import FileSessions
import FoundationEssentials
import Ingestion
import SQLiteLedger

/// Jobs as rows of a table.
enum JobsText {
  static let heading = ["PHASE", "PROFILE", "RECIPE", "FILE", "CHANGED", "WHY"]

  static func row(_ entry: JobPage.Entry) -> [String] {
    let job = entry.job
    return [
      job.phase.rawValue, job.key.profile.printable, job.key.recipe.printable, job.key.path.string.printable,
      entry.changedAt.description, why(job),
    ]
  }

  /// Why the job stands where it stands, in one line; `-` where that goes without saying.
  private static func why(_ job: Job) -> String {
    let reason =
      switch job.phase {
      case .failed: job.failure.map { "\($0.code ?? $0.kind.rawValue): \($0.message)" }
      case .deferred: "until \(job.dueAt?.description ?? "the next run")\(job.reason.map { ": \($0)" } ?? "")"
      case .completed: job.step?.error
      case .skipped, .done: job.reason
      case .decided, .opened, .uploaded: job.session?.id
      }
    return reason?.printable ?? "-"
  }
}

/// A job as JSON. The upload target is left out: whoever has it can send bytes.
struct JobJSON: Encodable {
  struct Event: Encodable {
    var at: Timestamp
    var phase: String
    var note: String?
  }

  /// One of the files that a file goes in.
  struct Part: Encodable {
    var path: String
    var filename: String
    var sizeBytes: Int64
    /// nil where it was not begun, or where jobs are only listed.
    var phase: String?
  }

  struct Step: Encodable {
    /// Whether the recipe's handler has run.
    var isHandled: Bool
    /// What is left to do: `move`, `copy`, `remove` or `retry`; nil where that is not known yet.
    var action: String?
    /// Where the file is moved or copied to.
    var directory: String?
    var destination: String?
    var error: String?
    /// The recipes for which the file stays until then; nil where that was not looked for.
    var staysFor: [String]?

    init(_ step: AfterStep) {
      (isHandled, destination, error) = (step.isHandled, step.destination, step.error)
      switch step.action {
      case .move(let directory): (action, self.directory) = ("move", directory)
      case .copy(let directory): (action, self.directory) = ("copy", directory)
      case .remove: action = "remove"
      case .retry: action = "retry"
      case nil: break
      }
    }
  }

  var v = 1
  var profile: String
  var recipe: String
  var path: String
  var phase: String
  var changedAt: Timestamp
  var sizeBytes: Int64
  var filename: String?
  var mimeType: String?
  var purpose: String?
  var session: FileSession?
  var md5: String?
  /// Which handlers decided, with their places.
  var decidedBy: String?
  var reason: String?
  var failure: Failure?
  var dueAt: Timestamp?
  var step: Step?
  /// What was done with the file in the end: `moved to uploaded/a.md`.
  var afterwards: String?
  /// The file that it is a part of, and the parts that it goes in.
  var whole: String?
  var parts: [Part]?
  /// How many sessions were opened for this content, and how often it changed meanwhile.
  var opens: Int
  /// How often the file was given up so far.
  var tries: Int
  var changes: Int
  /// Whether the file is another one by now, or has another time; nil where it was not looked at.
  var hasChanged: Bool?
  /// What the recipe keeps with the job.
  var data: JSONValue?
  var history: [Event]?

  init(_ story: JobStory) {
    self.init(
      story.job, changedAt: story.history.last?.at ?? Timestamp(milliseconds: 0), history: story.history)
    for part in story.parts {
      guard let index = parts?.firstIndex(where: { $0.path == part.key.path.string }) else { continue }
      parts?[index].phase = part.phase.rawValue
    }
  }

  init(_ job: Job, changedAt: Timestamp, history: [JobStory.Event]? = nil) {
    profile = job.key.profile
    recipe = job.key.recipe
    path = job.key.path.string
    phase = job.phase.rawValue
    self.changedAt = changedAt
    sizeBytes = job.isPart ? job.bytesToSend : job.stamp.size
    filename = job.request?.filename
    mimeType = job.request?.mimeType
    purpose = job.request?.purpose?.rawValue
    session = job.session
    md5 = job.md5?.hex
    decidedBy = job.deciders
    reason = job.reason
    failure = job.failure
    dueAt = job.dueAt
    step = job.step.map(Step.init)
    afterwards = job.afterwards
    whole = job.preparation?.whole?.string
    parts =
      job.isInParts
      ? zip(job.preparation?.parts ?? [], job.partKeys).map { part, key in
        Part(path: key.path.string, filename: part.request.filename, sizeBytes: part.content.stamp.size)
      } : nil
    opens = job.opens
    tries = job.tries
    changes = job.changes
    data = job.data.flatMap { try? JSONDecoder().decode(JSONValue.self, from: Data($0.json.utf8)) }
    self.history = history?.map { Event(at: $0.at, phase: $0.phase, note: $0.note) }
  }
}
