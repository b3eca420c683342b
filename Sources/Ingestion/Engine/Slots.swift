import FileSessions
import Synchronization
import Workspace

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

/// What came of one file's passage.
struct Passed: Sendable {
  /// nil where the file was counted before, and only something was left to do with it.
  var outcome: Outcome?
  /// When the file has its turn again by itself.
  var again: Timestamp?
  /// What was to be done with the file afterwards failed.
  var stepFailed: StepFailure?
  /// How often the recipe failed where that harms no file.
  var problems = 0

  struct StepFailure: Sendable {
    /// When it is tried again, and how often it has failed.
    var due: Timestamp
    var tries: Int
  }

  /// The same for a file that was counted before; that the run has to end is told in any case.
  var withoutOutcome: Passed {
    if case .stop? = outcome { return self }
    var passed = self
    passed.outcome = nil
    return passed
  }
}

/// Counts outcomes.
struct Tally: Sendable {
  var summary = RunSummary()
  /// Since when that is counted.
  private(set) var since: Timestamp
  /// What was counted before that.
  private var earlier = RunSummary()
  private var pages = 0
  /// Whether discovery failed: not everything was looked at.
  var isCutShort = false
  /// How files were counted that may come to something else in this run, by a hash of their path.
  private var counted: [Int: Standing] = [:]
  /// The same of those that were counted earlier.
  private var countedEarlier: [Int: Standing] = [:]
  private let isWatching: Bool
  /// In a run without an end no more than so many are kept; what comes of others is counted beside it.
  private static let mostCounted = 100_000

  /// What is not sent, and may be looked at again.
  fileprivate enum Standing: UInt8 {
    case skipped, deferred, rejected, failed
    /// It is found, and counts for nothing else before it has had its turn again.
    case comingBack
  }

  /// - Parameter isWatching: whether there is no end: then what is told is told page by page.
  init(since: Timestamp, isWatching: Bool = false) {
    self.since = since
    self.isWatching = isWatching
  }

  /// All of it.
  var total: RunSummary {
    var total = earlier
    total.add(summary)
    return total
  }

  /// Whether nothing happened since something was told.
  var isTold: Bool {
    var summary = summary
    (summary.duration, summary.stop) = (.zero, nil)
    return pages > 0 && summary == RunSummary()
  }

  /// Begins to count time from now, where nothing was done since something was told.
  mutating func restart(now: Timestamp) {
    if isTold { since = now }
  }

  /// Begins to count anew.
  mutating func turnPage(now: Timestamp) {
    earlier.add(summary)
    summary = RunSummary()
    countedEarlier.merge(counted) { _, last in last }
    counted = [:]
    since = now
    pages += 1
  }

  var isStopped: Bool { summary.stop != nil }

  /// - Parameter path: the file, where it may be found once more.
  mutating func add(_ outcome: Outcome, of path: ProjectPath? = nil) {
    if let path {
      // While watching, what was told of it before is not true any more: it counts here instead.
      if isWatching, hasCounted(path) {
        takeBack(path)
        summary.found += 1
      }
      if let standing = Standing(outcome) { keep(path, standing) }
    }
    switch outcome {
    case .sent(let bytes):
      summary.sent += 1
      summary.bytes += bytes
    case .alreadyDone: summary.alreadyDone += 1
    case .touched: summary.touched += 1
    case .skipped: summary.skipped += 1
    case .deferred: summary.deferred += 1
    case .waiting: summary.waiting += 1
    case .rejected: summary.rejected += 1
    case .failed: summary.failed += 1
    case .problem: summary.problems += 1
    case .left: summary.left += 1
    case .stop(let reason):
      summary.left += 1
      stop(reason)
    }
  }

  /// Notes that a file was found which counts for nothing else before it has had its turn again.
  mutating func expect(_ path: ProjectPath) {
    if !hasCounted(path) { keep(path, .comingBack) }
  }

  private mutating func keep(_ path: ProjectPath, _ standing: Standing) {
    // While watching, what is skipped is not looked at again, and there is no end of it.
    if isWatching, standing == .skipped || counted.count + countedEarlier.count >= Self.mostCounted { return }
    counted[path.hashValue] = standing
  }

  private func standing(of path: ProjectPath) -> Standing? {
    counted[path.hashValue] ?? countedEarlier[path.hashValue]
  }

  /// Whether a file was found before, and may come to something else.
  func hasCounted(_ path: ProjectPath) -> Bool { standing(of: path) != nil }

  /// Whether a file counts as deferred.
  func isDeferred(_ path: ProjectPath) -> Bool { standing(of: path) == .deferred }

  /// Takes a file out of the count that was found in this run, was not sent, and is now found once more.
  mutating func takeBack(_ path: ProjectPath) {
    if let standing = counted.removeValue(forKey: path.hashValue) {
      summary.takeBack(standing)
    } else if let standing = countedEarlier.removeValue(forKey: path.hashValue) {
      earlier.takeBack(standing)
    }
  }

  /// Notes why the run ends; the first reason stays, unless the record cannot be kept.
  mutating func stop(_ reason: RunSummary.Stop) {
    if case .ledger = reason, mayGoOn { summary.stop = reason }
    summary.stop = summary.stop ?? reason
  }

  /// Whether what made the run end may pass.
  var mayGoOn: Bool {
    if case .ledger? = summary.stop { false } else { true }
  }

  /// Goes on although there was a reason to end: what was left is found again.
  mutating func goOn() {
    summary.stop = nil
    leaveOut()
  }

  /// Takes what was left out of the count: it is found again.
  mutating func leaveOut() {
    summary.found -= summary.left
    summary.left = 0
  }
}

extension RunSummary {
  fileprivate mutating func takeBack(_ standing: Tally.Standing) {
    found -= 1
    switch standing {
    case .skipped: skipped -= 1
    case .deferred: deferred -= 1
    case .rejected: rejected -= 1
    case .failed: failed -= 1
    case .comingBack: break
    }
  }
}

extension Tally.Standing {
  fileprivate init?(_ outcome: Outcome) {
    switch outcome {
    case .skipped: self = .skipped
    case .deferred: self = .deferred
    case .rejected: self = .rejected
    case .failed: self = .failed
    case .sent, .alreadyDone, .touched, .waiting, .problem, .left, .stop: return nil
    }
  }
}

/// A file whose passage has ended.
struct Landing: Sendable {
  var path: ProjectPath
  var passed: Passed
}

/// The tasks of files under way.
typealias Passages = TaskGroup<Landing>

/// The files that an engine has under way, those that wait, and the count of those that left.
struct Slots {
  private let limit: Int
  let bell: Bell
  private let landed = Landings()
  private(set) var taken = 0
  /// Whether something was left since no more may be begun.
  var isSpent = false
  private(set) var underWay: Set<ProjectPath> = []
  var room = WaitingRoom()
  /// Those that have their turn again by themselves.
  var encores = Encores()
  /// Whether what fails now is given up.
  var isLastRound = false
  private let isWatching: Bool
  var tally: Tally
  /// Whether something was done that other processes asked for, so that discovery is to be taken again.
  var wasAsked = false
  /// How often records may have been changed for other processes: what was read before is to be read again.
  var changes = 0
  /// When the hours begin, outside of which something was left.
  var closedUntil: Timestamp?
  /// Whether it was told that the hours are waited for.
  var hasToldHours = false
  /// When it was looked last whether other processes want something.
  var lastLook: Timestamp

  /// - Parameter bell: is rung whenever a place becomes free.
  init(limit: Int, bell: Bell, now: Timestamp, isWatching: Bool) {
    self.limit = limit
    self.bell = bell
    self.isWatching = isWatching
    tally = Tally(since: now, isWatching: isWatching)
    lastLook = now
  }

  /// Whether one more may be under way.
  var hasRoom: Bool { taken < limit }

  /// Has a file be under way in the place of its ticket.
  mutating func begin(
    _ path: ProjectPath, _ ticket: Ticket, _ group: inout Passages,
    _ work: @escaping @Sendable () async -> Passed
  ) {
    taken += 1
    underWay.insert(path)
    group.addTask { [landed, bell] in
      let passed = await work()
      ticket.end()
      landed.add()
      bell.ring()
      return Landing(path: path, passed: passed)
    }
  }

  /// Counts those that have ended, without waiting for the others.
  mutating func reap(_ group: inout Passages) async {
    for _ in 0..<landed.count where taken > 0 { await leave(&group) }
  }

  /// Waits until every place is free.
  mutating func drain(_ group: inout Passages) async {
    while taken > 0 { await leave(&group) }
  }

  private mutating func leave(_ group: inout Passages) async {
    guard let landing = await group.next() else { return }
    landed.take()
    taken -= 1
    underWay.remove(landing.path)
    let passed = landing.passed
    if let outcome = passed.outcome { tally.add(outcome, of: landing.path) }
    tally.summary.problems += passed.problems
    if let due = passed.again { comeBack(landing.path, due: due) }
    guard let failure = passed.stepFailed else { return }
    let comesBack = !isLastRound && encores.add(landing.path, .step, due: failure.due)
    // In a run that ends, the last try counts; else the first.
    if isWatching ? failure.tries == 1 : !comesBack { tally.summary.stepsFailed += 1 }
  }

  /// Has a file come back that is not counted until then.
  mutating func comeBack(_ path: ProjectPath, due: Timestamp) {
    if !encores.add(path, .file, due: due) {
      tally.add(.left)
    } else if isWatching {
      tally.expect(path)
    }
  }

  /// Counts what the end of the run leaves undone.
  mutating func countTheRest() {
    for _ in 0..<room.settling { tally.add(.left) }
    if isWatching { return }
    for _ in 0..<encores.count(.file) { tally.add(.left) }
    tally.summary.stepsFailed += encores.count(.step)
  }
}

/// How many passages have ended and were not counted yet.
private final class Landings: Sendable {
  private let number = Atomic(0)

  var count: Int { number.load(ordering: .acquiring) }

  func add() { number.add(1, ordering: .releasing) }

  func take() { number.subtract(1, ordering: .acquiring) }
}
