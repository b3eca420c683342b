import FileSessions
import Workspace

/// The files that are looked at again later, each at its time.
///
/// There is one entry a path, however often it changes; a change only moves its time.
package struct WaitingRoom: Sendable {
  /// One that waits.
  package struct Guest: Hashable, Sendable {
    package var path: ProjectPath
    /// What was seen of a file that is settling; nil for one that was deferred.
    package var stillness: Stillness?
    package var due: Timestamp
    /// What discovery gave with it.
    package var data: JobData?

    package init(path: ProjectPath, stillness: Stillness? = nil, due: Timestamp, data: JobData? = nil) {
      self.path = path
      self.stillness = stillness
      self.due = due
      self.data = data
    }
  }

  private struct Turn {
    var due: Timestamp
    var path: ProjectPath
  }

  /// More than so many do not wait at once: discovery waits meanwhile, and changes are found by the next walk.
  package static let capacity = 100_000

  private var guests: [ProjectPath: (guest: Guest, turn: Timestamp)] = [:]
  /// A binary heap, the next turn first. Turns that are no guest's any more are passed over.
  private var turns: [Turn] = []
  /// How many are settling, and not deferred.
  package private(set) var settling = 0

  package init() {}

  package var count: Int { guests.count }
  package var isFull: Bool { guests.count >= Self.capacity }

  /// When the next one is due, at the latest; it may turn out that it was postponed since.
  package var nextDue: Timestamp? { turns.first?.due }

  /// What is known of a path that waits.
  package subscript(path: ProjectPath) -> Guest? { guests[path]?.guest }

  /// Has a path wait, or wait for another time.
  package mutating func hold(_ guest: Guest) {
    let earlier = guests[guest.path]
    if earlier?.guest.stillness != nil { settling -= 1 }
    if guest.stillness != nil { settling += 1 }
    // A turn that comes too early is put off when it comes; only one that comes too late needs another.
    if let earlier, earlier.turn <= guest.due {
      guests[guest.path] = (guest, earlier.turn)
    } else {
      guests[guest.path] = (guest, guest.due)
      push(Turn(due: guest.due, path: guest.path))
    }
  }

  /// Takes out those that are due, at most `limit`.
  package mutating func takeDue(now: Timestamp, limit: Int) -> [Guest] {
    var due: [Guest] = []
    while due.count < limit, let first = turns.first, first.due <= now {
      let turn = pop(first)
      guard let (guest, own) = guests[turn.path], own == turn.due else { continue }
      if guest.due <= now {
        guests[turn.path] = nil
        if guest.stillness != nil { settling -= 1 }
        due.append(guest)
      } else {
        guests[turn.path] = (guest, guest.due)
        push(Turn(due: guest.due, path: guest.path))
      }
    }
    return due
  }

  /// Brings the times of those that settle nearer: the clock was set back by so much.
  package mutating func clockWentBack(by step: Duration) {
    turns = []
    for (path, entry) in guests {
      var guest = entry.guest
      if guest.stillness != nil { guest.due = guest.due + (.zero - step) }
      guests[path] = (guest, guest.due)
      push(Turn(due: guest.due, path: path))
    }
  }

  // MARK: - The heap

  private mutating func push(_ turn: Turn) {
    turns.append(turn)
    var index = turns.count - 1
    while index > 0, turns[index].due < turns[(index - 1) / 2].due {
      turns.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  private mutating func pop(_ first: Turn) -> Turn {
    let last = turns.removeLast()
    guard !turns.isEmpty else { return first }
    turns[0] = last
    var index = 0
    while true {
      let children = (2 * index + 1)...(2 * index + 2)
      guard
        let least = children.filter({ $0 < turns.count }).min(by: { turns[$0].due < turns[$1].due }),
        turns[least].due < turns[index].due
      else { return first }
      turns.swapAt(index, least)
      index = least
    }
  }
}
