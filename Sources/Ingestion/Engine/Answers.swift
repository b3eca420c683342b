import Synchronization

/// Rulings on their way from the recipe to the engine, which takes what is there and waits when there is none.
final class Answers: Sendable {
  typealias Answer = (index: Int, ruling: Ruling)

  private struct State {
    var answers: [Answer] = []
    /// Those that came before ones that are to be taken first, and the place of the next one.
    var early: [Int: Ruling] = [:]
    var next = 0
    var isEnd = false
    /// Whether the one who waits is to look after something else.
    var isReminded = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  private let isInOrder: Bool

  /// - Parameter isInOrder: whether they are taken as their files were asked about, not as they come.
  init(isInOrder: Bool) { self.isInOrder = isInOrder }

  func put(_ index: Int, _ ruling: Ruling) {
    change { [isInOrder] state in
      guard isInOrder else { return state.answers.append((index, ruling)) }
      state.early[index] = ruling
      while let ruling = state.early.removeValue(forKey: state.next) {
        state.answers.append((state.next, ruling))
        state.next += 1
      }
    }
  }

  /// Says that no more will come.
  func end() {
    change { state in
      // Of some there is no answer, since the recipe was stopped.
      state.answers += state.early.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      (state.early, state.isEnd) = ([:], true)
    }
  }

  /// Has the one who takes them go on, also where there are none.
  func remind() {
    change { $0.isReminded = true }
  }

  private func change(_ body: (inout State) -> Void) {
    let waiter = state.withLock { state in
      body(&state)
      return state.waiter.take()
    }
    waiter?.resume()
  }

  /// Those that have come since the last time, none after a reminder; nil at the end. One takes them.
  func next() async -> [Answer]? {
    while true {
      let (answers, isEnd, isReminded) = state.withLock { state in
        defer { (state.answers, state.isReminded) = ([], false) }
        return (state.answers, state.isEnd, state.isReminded)
      }
      if !answers.isEmpty || (isReminded && !isEnd) { return answers }
      if isEnd { return nil }
      await withCheckedContinuation { continuation in
        let isThere = state.withLock { state in
          if state.isEnd || state.isReminded || !state.answers.isEmpty { return true }
          state.waiter = continuation
          return false
        }
        if isThere { continuation.resume() }
      }
    }
  }
}
