import Synchronization

/// Rulings on their way from the recipe to the engine, which takes what is there and waits when there is none.
final class Answers: Sendable {
  typealias Answer = (index: Int, ruling: Ruling)

  private struct State {
    var answers: [Answer] = []
    var isEnd = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  func put(_ index: Int, _ ruling: Ruling) {
    change { $0.answers.append((index, ruling)) }
  }

  /// Says that no more will come.
  func end() {
    change { $0.isEnd = true }
  }

  private func change(_ body: (inout State) -> Void) {
    let waiter = state.withLock { state in
      body(&state)
      return state.waiter.take()
    }
    waiter?.resume()
  }

  /// Those that have come since the last time, at least one; nil at the end. One takes them.
  func next() async -> [Answer]? {
    while true {
      let (answers, isEnd) = state.withLock { state in
        defer { state.answers = [] }
        return (state.answers, state.isEnd)
      }
      if !answers.isEmpty { return answers }
      if isEnd { return nil }
      await withCheckedContinuation { continuation in
        let isThere = state.withLock { state in
          if state.isEnd || !state.answers.isEmpty { return true }
          state.waiter = continuation
          return false
        }
        if isThere { continuation.resume() }
      }
    }
  }
}
