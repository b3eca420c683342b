import FileSessions
import Synchronization
import Workspace

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
    if let stop = passed.stop { tally.stop(stop) }
    tally.summary.problems += passed.problems
    if let due = passed.again { comeBack(landing.path, due: due) }
    guard let due = passed.stepAgain else { return }
    let comesBack = !isLastRound && encores.add(landing.path, .step, due: due)
    // In a run that ends, the last try counts; else the first, with which the file is counted.
    if isWatching ? passed.outcome != nil : !comesBack { tally.summary.stepsFailed += 1 }
  }

  /// Has a file come back that is not counted until then.
  mutating func comeBack(_ path: ProjectPath, due: Timestamp) {
    if !encores.add(path, .file, due: due) {
      tally.add(.left, of: path)
    } else if isWatching {
      tally.expect(path)
    }
  }

  /// Counts what the end of the run leaves undone.
  mutating func countTheRest() {
    tally.close(settling: room.settling)
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
