import FileSessions
import Synchronization

/// A clock that is moved by hand.
package final class ManualClock: Sendable {
  private let moment: Mutex<Timestamp>

  package init(_ start: Timestamp = Timestamp(milliseconds: 1_775_646_000_000)) {
    moment = Mutex(start)
  }

  package var now: Timestamp { moment.withLock { $0 } }
  package var wallClock: WallClock { WallClock { self.now } }

  package func advance(_ duration: Duration) {
    moment.withLock { $0 = $0 + duration }
  }
}
