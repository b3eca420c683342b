import FileSessions
import Synchronization

/// A clock that only moves when it is told to, or by itself as soon as somebody sleeps.
///
/// Awaiting that somebody sleeps would say little: who sleeps may be about to wake.
final class VirtualClock: Sendable {
  private struct Sleeper {
    var due: Timestamp
    var continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now: Timestamp
    var next = 0
    var sleepers: [Int: Sleeper] = [:]
    var runsByItself: Bool
  }

  private let state: Mutex<State>
  private let onSleep: @Sendable () -> Void

  /// - Parameters:
  ///   - runsByItself: whether a sleep takes no time, and moves the clock instead.
  ///   - onSleep: is called before each sleep.
  init(
    now: Timestamp = Timestamp(milliseconds: 2_000_000_000_000), runsByItself: Bool,
    onSleep: @escaping @Sendable () -> Void = {}
  ) {
    state = Mutex(State(now: now, runsByItself: runsByItself))
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
    let id = state.withLock { state in
      state.next += 1
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let flows = state.withLock { state in
          if !state.runsByItself {
            state.sleepers[id] = Sleeper(due: state.now + time, continuation: continuation)
          }
          return state.runsByItself
        }
        if flows {
          advance(by: time)
          continuation.resume()
        } else if Task.isCancelled {
          cancel(id)
        }
      }
    } onCancel: {
      cancel(id)
    }
  }

  /// Has time go on by itself as long as `body` waits for something.
  func flow<Value>(_ body: () async throws -> Value) async rethrows -> Value {
    let sleepers = state.withLock { state in
      state.runsByItself = true
      state.now = state.sleepers.values.map(\.due).reduce(state.now, max)
      defer { state.sleepers = [:] }
      return state.sleepers.values.map(\.continuation)
    }
    for sleeper in sleepers { sleeper.resume() }
    defer { state.withLock { $0.runsByItself = false } }
    return try await body()
  }

  private func cancel(_ id: Int) {
    state.withLock { $0.sleepers.removeValue(forKey: id)?.continuation }?.resume(
      throwing: CancellationError())
  }
}
