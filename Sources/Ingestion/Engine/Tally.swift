import FileSessions
import Workspace

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
  /// The same of those that were counted on earlier pages. Apart, since a run that ends has many, and one page.
  private var countedEarlier: [Int: Standing] = [:]
  private let isWatching: Bool
  /// In a run without an end no more than so many are kept; what comes of others is counted beside it.
  private static let mostCounted = 100_000
  /// How many were left and taken out of the count, since they are found again.
  private var leftOut = 0

  /// What is not sent, and may be looked at again.
  fileprivate enum Standing: UInt8 {
    case skipped, deferred, waiting, rejected, failed
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

  /// Counts a file that is found. While watching, one that counts already goes on as it does until something else
  /// comes of it.
  mutating func find(_ path: ProjectPath) {
    if !isWatching || standing(of: path) == nil { summary.found += 1 }
  }

  /// The same of one that was found and is not taken: the next look finds it again.
  mutating func passOver(_ path: ProjectPath) {
    if !isWatching || standing(of: path) == nil { summary.found -= 1 }
  }

  /// - Parameter path: the file, where it may be found once more.
  mutating func add(_ outcome: Outcome, of path: ProjectPath? = nil) {
    if isWatching, let path, let known = standing(of: path) {
      // That it is put off once more says nothing new.
      if known == .deferred, case .deferred = outcome { return }
      // What was told of it before is not true any more: it counts here instead.
      takeBack(path)
      summary.found += 1
    }
    if let path, let standing = Standing(outcome) { keep(path, standing) }
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
    if standing(of: path) == nil { keep(path, .comingBack) }
  }

  private mutating func keep(_ path: ProjectPath, _ standing: Standing) {
    // What is skipped is seldom looked at again, and is not to leave the others without room.
    let most = standing == .skipped ? Self.mostCounted / 2 : Self.mostCounted
    if isWatching, counted.count + countedEarlier.count >= most { return }
    counted[path.hashValue] = standing
  }

  private func standing(of path: ProjectPath) -> Standing? {
    counted[path.hashValue] ?? countedEarlier[path.hashValue]
  }

  /// Takes a file out of the count that was found in this run and not sent, and now is, or is found once more.
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
    leftOut += summary.left
    summary.left = 0
  }

  /// Begins to look through everything, where what was left out is found again.
  mutating func lookAnew() { leftOut = 0 }

  /// Counts what the end leaves undone: `settling` files, and while watching those that were to come back.
  mutating func close(settling: Int) {
    summary.found += settling
    summary.left += settling
    guard isWatching else { return }
    summary.found += leftOut
    summary.left += leftOut
    for known in [counted, countedEarlier] { summary.left += known.values.count { $0 == .comingBack } }
  }
}

extension RunSummary {
  fileprivate mutating func takeBack(_ standing: Tally.Standing) {
    found -= 1
    switch standing {
    case .skipped: skipped -= 1
    case .deferred: deferred -= 1
    case .waiting: waiting -= 1
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
    case .waiting: self = .waiting
    case .rejected: self = .rejected
    case .failed: self = .failed
    case .sent, .alreadyDone, .touched, .problem, .left, .stop: return nil
    }
  }
}
