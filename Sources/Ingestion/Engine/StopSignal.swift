import Synchronization

/// A wish to end a run: no new files are begun, those under way are finished.
package final class StopSignal: Sendable {
  private struct State {
    var isRequested = false
    var listeners: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())

  package init() {}

  /// Makes the wish known; it is never taken back.
  package func request() {
    let listeners = state.withLock { state in
      state.isRequested = true
      defer { state.listeners = [] }
      return state.listeners
    }
    for listener in listeners { listener() }
  }

  package var isRequested: Bool { state.withLock { $0.isRequested } }

  /// Calls `listener` once, when the wish is made known, or at once when it is already.
  package func whenRequested(_ listener: @escaping @Sendable () -> Void) {
    let isRequested = state.withLock { state in
      if !state.isRequested { state.listeners.append(listener) }
      return state.isRequested
    }
    if isRequested { listener() }
  }
}
