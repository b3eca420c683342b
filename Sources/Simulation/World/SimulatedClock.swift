import FileSessions
import Synchronization

/// A time that passes only when it is told to, as the service has it and as this machine believes it is.
package final class SimulatedClock: Sendable {
  private struct State {
    var now = Timestamp(milliseconds: 2_000_000_000_000)
    var error = Duration.zero
  }

  private let state = Mutex(State())

  package init() {}

  /// The service's clock, which is right.
  package var service: WallClock { WallClock { self.state.withLock { $0.now } } }

  /// This machine's clock, which somebody may have set wrong.
  package var machine: WallClock { WallClock { self.state.withLock { $0.now + $0.error } } }

  package func advance(by time: Duration) { state.withLock { $0.now = $0.now + time } }

  /// Sets this machine's clock, so far ahead of the service's or, negative, behind it.
  package func set(ahead error: Duration) { state.withLock { $0.error = error } }
}
