/// How a file's passage ended, for the count.
enum Outcome: Sendable {
  case sent(bytes: Int64)
  case alreadyDone
  case touched
  case skipped
  case deferred
  case rejected
  case failed
  case problem
  /// Not begun, since the run is to end.
  case left
  /// The run has to end.
  case stop(RunSummary.Stop)
}

/// What came of one file's passage.
struct Passed: Sendable {
  /// nil where the file was counted before, and only something was left to do with it.
  var outcome: Outcome?
  /// What was to be done with the file afterwards failed.
  var stepFailed = false
}

/// Counts outcomes.
struct Tally: Sendable {
  var summary = RunSummary()

  var isStopped: Bool { summary.stop != nil }

  mutating func add(_ outcome: Outcome) {
    switch outcome {
    case .sent(let bytes):
      summary.sent += 1
      summary.bytes += bytes
    case .alreadyDone: summary.alreadyDone += 1
    case .touched: summary.touched += 1
    case .skipped: summary.skipped += 1
    case .deferred: summary.deferred += 1
    case .rejected: summary.rejected += 1
    case .failed: summary.failed += 1
    case .problem: summary.problems += 1
    case .left: summary.left += 1
    case .stop(let reason):
      summary.left += 1
      stop(reason)
    }
  }

  /// Notes why the run ends; the first reason stays.
  mutating func stop(_ reason: RunSummary.Stop) {
    summary.stop = summary.stop ?? reason
  }
}

/// The places for files under way, and the count of those that left.
struct Slots {
  private let limit: Int
  private var taken = 0
  var tally = Tally()

  init(limit: Int) {
    self.limit = limit
  }

  /// Waits until a place is free.
  mutating func makeRoom(_ group: inout TaskGroup<Passed>) async {
    while taken >= limit, let passed = await group.next() { leave(passed) }
  }

  /// Takes a place.
  mutating func begin(_ group: inout TaskGroup<Passed>, _ work: @escaping @Sendable () async -> Passed) {
    taken += 1
    group.addTask(operation: work)
  }

  /// Waits until every place is free.
  mutating func drain(_ group: inout TaskGroup<Passed>) async {
    while let passed = await group.next() { leave(passed) }
  }

  private mutating func leave(_ passed: Passed) {
    taken -= 1
    if let outcome = passed.outcome { tally.add(outcome) }
    if passed.stepFailed { tally.summary.stepsFailed += 1 }
  }
}
