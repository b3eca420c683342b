import FoundationEssentials

/// The time of day, handed in from outside so that expiry can be tested without waiting for it.
package struct WallClock: Sendable {
  private let read: @Sendable () -> Timestamp

  /// A clock that answers with whatever `read` gives.
  package init(_ read: @escaping @Sendable () -> Timestamp) {
    self.read = read
  }

  /// The present moment, to the millisecond.
  package var now: Timestamp { read() }

  /// The clock of this machine.
  package static let system = WallClock {
    Timestamp(milliseconds: Int64((Date.now.timeIntervalSince1970 * 1000).rounded(.down)))
  }
}
