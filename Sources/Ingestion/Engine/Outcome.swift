import FileSessions

/// How a file's passage ended, for the count.
enum Outcome: Sendable {
  case sent(bytes: Int64)
  case alreadyDone
  case touched
  case skipped
  case deferred
  /// Not complete yet.
  case waiting
  case rejected
  case failed
  case problem
  /// Not begun, since the run is to end.
  case left
  /// The run has to end.
  case stop(RunSummary.Stop)
}

extension Outcome {
  /// The outcome of a file that ended without being sent.
  init(standing job: Job) {
    switch job.phase {
    case .skipped: self = .skipped
    case .deferred: self = .deferred
    case .failed: self = job.failure?.kind == .rejected ? .rejected : .failed
    case .decided, .opened, .uploaded, .completed, .done: self = .alreadyDone
    }
  }
}

/// What came of one file's passage.
struct Passed: Sendable {
  /// nil where the file was counted before, and only something was left to do with it.
  var outcome: Outcome?
  /// When the file has its turn again by itself.
  var again: Timestamp?
  /// Where what was to be done with the file afterwards failed: when it is tried again.
  var stepAgain: Timestamp?
  /// How often the recipe failed where that harms no file.
  var problems = 0
  /// Why the run has to end, where the file was counted before.
  var stop: RunSummary.Stop?

  /// The same for a file that was counted before; that the run has to end is told in any case.
  var withoutOutcome: Passed {
    var passed = self
    if case .stop(let reason)? = outcome { passed.stop = reason }
    passed.outcome = nil
    return passed
  }
}
