import Synchronization

/// What happened, in order, from whatever thread.
package final class Recorded<Item: Sendable>: Sendable {
  private let state = Mutex<[Item]>([])

  package init() {}

  /// All of it.
  package var items: [Item] { state.withLock { $0 } }

  /// Adds one.
  package func add(_ item: Item) { state.withLock { $0.append(item) } }
}

/// Lets everybody through once so many have come.
package actor Gate {
  private let count: Int
  private var arrived = 0
  private var waiting: [CheckedContinuation<Void, Never>] = []

  package init(_ count: Int) { self.count = count }

  /// Comes, and waits for the others.
  package func arrive() async {
    arrived += 1
    if arrived >= count {
      waiting.forEach { $0.resume() }
      waiting = []
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }
}
