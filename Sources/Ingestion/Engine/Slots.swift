/// How a file's passage ended, for the count.
enum Outcome: Sendable {
  case sent(bytes: Int64, stepFailed: Bool)
  /// Nothing had to be sent: only a step was left from an earlier run.
  case settled(stepFailed: Bool)
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

/// Counts outcomes.
struct Tally: Sendable {
  var summary = RunSummary()

  var isStopped: Bool { summary.stop != nil }

  mutating func add(_ outcome: Outcome) {
    switch outcome {
    case .sent(let bytes, let stepFailed):
      summary.sent += 1
      summary.bytes += bytes
      summary.stepsFailed += stepFailed ? 1 : 0
    case .settled(let stepFailed):
      summary.alreadyDone += 1
      summary.stepsFailed += stepFailed ? 1 : 0
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
  mutating func makeRoom(_ group: inout TaskGroup<Outcome>) async {
    while taken >= limit, let outcome = await group.next() { leave(outcome) }
  }

  /// Takes a place.
  mutating func begin(_ group: inout TaskGroup<Outcome>, _ work: @escaping @Sendable () async -> Outcome) {
    taken += 1
    group.addTask(operation: work)
  }

  /// Waits until every place is free.
  mutating func drain(_ group: inout TaskGroup<Outcome>) async {
    while let outcome = await group.next() { leave(outcome) }
  }

  private mutating func leave(_ outcome: Outcome) {
    taken -= 1
    tally.add(outcome)
  }
}
