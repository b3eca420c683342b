import FileSessions
import Ingestion
import Workspace

/// What a run would do with one file, as a line of JSON; `docs/dry-run.md` tells what the fields mean.
struct PlanRowJSON: Encodable {
  /// Something that would be done with a file.
  struct Step: Encodable {
    var step: String
    var from: String?
    var to: String?
    var path: String?
    var handler: String?
    var message: String?
  }

  var v = 1
  var recipe: String
  var path: String
  var whole: String?
  var prepared: String?
  var verdict: String
  var reason: String?
  var sizeBytes: Int64?
  var filename: String?
  var sessionFilename: String?
  var mimeType: String?
  var purpose: String?
  var handler: String?
  var until: Timestamp?
  var failure: Failure?
  var steps: [Step]

  init(_ row: PlanRow) {
    recipe = row.recipe
    path = row.path
    whole = row.whole
    prepared = row.prepared
    verdict = row.verdict.rawValue
    reason = row.reason
    sizeBytes = row.size
    filename = row.request?.filename
    sessionFilename = row.sessionFilename
    mimeType = row.request?.mimeType
    purpose = row.request?.purpose?.rawValue
    handler = row.handler
    until = row.dueAt
    failure = row.failure
    steps = row.steps.map(Step.init)
  }
}

extension PlanRowJSON.Step {
  fileprivate init(_ step: PlanRow.Step) {
    switch step {
    case .change(.write(let path)): self.init(step: "write", path: path)
    case .change(.makeDirectory(let path)): self.init(step: "make_directory", path: path)
    case .change(.move(let from, let to)): self.init(step: "move", from: from, to: to)
    case .change(.copy(let from, let to)): self.init(step: "copy", from: from, to: to)
    case .change(.remove(let path)): self.init(step: "remove", path: path)
    case .note(let text): self.init(step: "none", message: text)
    case .failed(let message): self.init(step: "failed", message: message)
    case .unknown(let handler, let point): self.init(step: "unknown", handler: handler, message: point)
    }
  }
}

/// What a plan amounts to, as its last line of JSON.
struct PlanTotalsJSON: Encodable {
  struct Counts: Encodable {
    var files: Int
    /// Of files that go in parts.
    var parts: Int
    /// By verdict; those that did not occur are left out.
    var verdicts: [String: Int]
    var bytesToSend: Int64
    var stepsFailed: Int
  }

  var v = 1
  var plan: Counts

  init(_ totals: PlanTotals) {
    plan = Counts(
      files: totals.files, parts: totals.parts,
      verdicts: Dictionary(uniqueKeysWithValues: totals.verdicts.map { ($0.key.rawValue, $0.value) }),
      bytesToSend: totals.bytes, stepsFailed: totals.stepsFailed)
  }
}
