import FileSessions
import Workspace

/// The files that have their turn again by themselves, each at its time.
struct Encores: Sendable {
  enum Kind: Sendable {
    /// It failed for a reason that may have passed, or its handler wants another try.
    case file
    /// What was to be done with it afterwards failed.
    case step
  }

  /// More than so many do not wait at once; the others are the next run's, or the next walk's.
  private static let capacity = 100_000

  private var turns: [ProjectPath: (due: Timestamp, kind: Kind)] = [:]
  /// No turn is before that.
  private(set) var nextDue: Timestamp?

  var isEmpty: Bool { turns.isEmpty }

  /// How many there are of a kind.
  func count(_ kind: Kind) -> Int { turns.values.count { $0.kind == kind } }

  /// Has a file come back; tells whether there was room.
  @discardableResult
  mutating func add(_ path: ProjectPath, _ kind: Kind, due: Timestamp) -> Bool {
    guard turns.count < Self.capacity || turns[path] != nil else { return false }
    turns[path] = (due, kind)
    nextDue = min(nextDue ?? due, due)
    return true
  }

  /// Takes out those that are due, in the order of their paths.
  ///
  /// - Parameter now: nil: all are.
  mutating func take(now: Timestamp?) -> [(path: ProjectPath, kind: Kind)] {
    if let now, nextDue.map({ $0 > now }) ?? true { return [] }
    let due = turns.filter { turn in now.map { turn.value.due <= $0 } ?? true }
    for path in due.keys { turns[path] = nil }
    nextDue = turns.values.map(\.due).min()
    return due.map { ($0.key, $0.value.kind) }.sorted { $0.path < $1.path }
  }
}
