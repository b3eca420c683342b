import LightfieldClient
import Synchronization

extension SteadyClock {
  /// A clock of its own on which every wait is over at once, and has moved it.
  package static var skipping: SteadyClock {
    let moment = SkippedTime()
    return SteadyClock(read: { moment.now }, wait: { moment.skip($0) })
  }
}

private final class SkippedTime: Sendable {
  private let time = Mutex(Duration.zero)

  var now: Duration { time.withLock { $0 } }

  func skip(_ duration: Duration) {
    time.withLock { $0 += duration }
  }
}
