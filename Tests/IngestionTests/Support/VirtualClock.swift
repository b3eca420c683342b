import FileSessions
import Synchronization

/// A clock that only moves when it is told to, or by itself as soon as somebody sleeps.
final class VirtualClock: Sendable {
  private struct Sleeper {
    var due: Timestamp
    var continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now: Timestamp
    var next = 0
    var sleepers: [Int: Sleeper] = [:]
    var watchers: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>
  private let runsByItself: Bool
  private let onSleep: @Sendable () -> Void

  /// - Parameters:
  ///   - runsByItself: whether a sleep takes no time, and moves the clock instead.
  ///   - onSleep: is called before each sleep.
  init(
    now: Timestamp = Timestamp(milliseconds: 2_000_000_000_000), runsByItself: Bool,
    onSleep: @escaping @Sendable () -> Void = {}
  ) {
    state = Mutex(State(now: now))
    self.runsByItself = runsByItself
    self.onSleep = onSleep
  }

  var now: Timestamp { state.withLock { $0.now } }
  var wall: WallClock { WallClock { self.now } }

  func advance(by time: Duration) {
    let due = state.withLock { state in
      state.now = state.now + time
      let due = state.sleepers.filter { $0.value.due <= state.now }
      for id in due.keys { state.sleepers[id] = nil }
      return due.values.map(\.continuation)
    }
    for continuation in due { continuation.resume() }
  }

  func sleep(_ time: Duration) async throws {
    onSleep()
    if runsByItself {
      advance(by: time)
      return
    }
    let id = state.withLock { state in
      state.next += 1
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let watchers = state.withLock { state in
          state.sleepers[id] = Sleeper(due: state.now + time, continuation: continuation)
          defer { state.watchers = [] }
          return state.watchers
        }
        for watcher in watchers { watcher.resume() }
        if Task.isCancelled { cancel(id) }
      }
    } onCancel: {
      cancel(id)
    }
  }

  /// Waits until somebody sleeps that is due within `time` from now.
  func someoneSleeps(within time: Duration) async {
    while !state.withLock({ state in state.sleepers.values.contains { $0.due <= state.now + time } }) {
      await withCheckedContinuation { continuation in
        let isThere = state.withLock { state in
          if state.sleepers.values.contains(where: { $0.due <= state.now + time }) { return true }
          state.watchers.append(continuation)
          return false
        }
        if isThere { continuation.resume() }
      }
    }
  }

  private func cancel(_ id: Int) {
    state.withLock { $0.sleepers.removeValue(forKey: id)?.continuation }?.resume(
      throwing: CancellationError())
  }
}
