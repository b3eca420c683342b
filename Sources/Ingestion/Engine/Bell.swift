import FileSessions
import Synchronization

/// Wakes one who waits for something to happen.
package final class Bell: Sendable {
  private struct State {
    var isRung = false
    var waiter: CheckedContinuation<Bool, Never>?
    /// The number of the last wait, and of the last whose time was over.
    var wait = 0
    var over = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// Wakes the one who waits, now or next.
  package func ring() {
    let waiter = state.withLock { state in
      state.isRung = state.waiter == nil
      return state.waiter.take()
    }
    waiter?.resume(returning: true)
  }

  /// Waits until it is rung, or was rung since the last time, but not longer than `time`; nil is without end.
  /// Ends when the task is cancelled. One waits at a time.
  ///
  /// - Parameter sleep: waits; throws when its task is cancelled.
  /// - Returns: Whether it was rung.
  @discardableResult
  package func heard(
    within time: Duration?, sleep: @escaping @Sendable (Duration) async throws -> Void
  ) async -> Bool {
    let number = state.withLock { state in
      state.wait += 1
      return state.wait
    }
    let alarm = time.map { time in
      Task {
        // A cancelled sleep throws: then there is nobody to wake.
        do { try await sleep(time) } catch _ { return }
        end(number)
      }
    }
    defer { alarm?.cancel() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer = state.withLock { state -> Bool? in
          if state.isRung || Task.isCancelled {
            state.isRung = false
            return true
          }
          if state.over == number { return false }
          state.waiter = continuation
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      ring()
    }
  }

  /// The time of a wait is over, which may not even have begun.
  private func end(_ number: Int) {
    let waiter = state.withLock { state in
      guard state.wait == number else { return nil as CheckedContinuation<Bool, Never>? }
      state.over = number
      return state.waiter.take()
    }
    waiter?.resume(returning: false)
  }
}
