import Synchronization

/// A clock that only moves when it is told to.
final class ManualClock: Sendable {
  private struct State {
    var now: Double = 0
    var next = 0
    var sleepers: [Int: (due: Double, continuation: CheckedContinuation<Void, any Error>)] = [:]
    var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    var most = 0
  }

  private let state = Mutex(State())

  /// The greatest number of sleepers that there were at once.
  var mostSleepers: Int { state.withLock { $0.most } }

  /// How many sleep now.
  var sleepers: Int { state.withLock { $0.sleepers.count } }

  func sleep(_ seconds: Double) async throws {
    let id = state.withLock { state in
      state.next += 1
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let awake = state.withLock { state -> [CheckedContinuation<Void, Never>] in
          state.sleepers[id] = (state.now + seconds, continuation)
          state.most = max(state.most, state.sleepers.count)
          let count = state.sleepers.count
          let ready = state.watchers.filter { $0.count <= count }.map(\.continuation)
          state.watchers.removeAll { $0.count <= count }
          return ready
        }
        awake.forEach { $0.resume() }
        if Task.isCancelled { cancel(id) }
      }
    } onCancel: {
      cancel(id)
    }
  }

  private func cancel(_ id: Int) {
    state.withLock { $0.sleepers.removeValue(forKey: id)?.continuation }?.resume(
      throwing: CancellationError())
  }

  /// Waits until at least so many sleep.
  func untilSleeping(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let ready = state.withLock { state in
        if state.sleepers.count >= count { return true }
        state.watchers.append((count, continuation))
        return false
      }
      if ready { continuation.resume() }
    }
  }

  func advance(by seconds: Double) {
    let due = state.withLock { state -> [CheckedContinuation<Void, any Error>] in
      state.now += seconds
      let now = state.now
      let due = state.sleepers.filter { $0.value.due <= now }.sorted { $0.key < $1.key }
      for (id, _) in due { state.sleepers[id] = nil }
      return due.map(\.value.continuation)
    }
    due.forEach { $0.resume() }
  }
}
