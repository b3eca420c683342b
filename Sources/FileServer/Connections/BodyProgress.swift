import NIOCore

/// How long the server waits for a client that is slow.
struct TransferPatience: Hashable, Sendable {
  /// How long a connection may be without a request.
  var idle: TimeAmount
  /// How often progress is looked at; no progress at all for so long ends a transfer.
  var window: TimeAmount
  /// The fewest bytes a second that a request's body may come at.
  var minimumRate: Int
  /// How long what a refused client still sends is dropped before the connection is closed.
  var linger: TimeAmount
}

/// How a request's body comes along, in the window that is open.
///
/// Decides without clock and channel; ``ConnectionGuard`` tells it what happens.
struct BodyProgress: Hashable, Sendable {
  private var bytes = 0
  /// For how long the server waited for bytes, of the waits that are over.
  private var waited = TimeAmount.zero
  private var waitingSince: NIODeadline?

  /// The server asks for more.
  mutating func startWaiting(at now: NIODeadline) {
    if waitingSince == nil { waitingSince = now }
  }

  /// Bytes came.
  mutating func receive(_ count: Int, at now: NIODeadline) {
    bytes += count
    if let since = waitingSince { waited = waited + (now - since) }
    waitingSince = nil
  }

  /// Whether what came is too little for the time waited; a window that was waited out is followed by a new one.
  mutating func isTooSlow(at now: NIODeadline, _ patience: TransferPatience) -> Bool {
    let wait = waited + (waitingSince.map { now - $0 } ?? .zero)
    // A window that the server itself kept the client waiting in says nothing: it goes on.
    guard wait.nanoseconds * 10 >= patience.window.nanoseconds * 9 else { return false }
    let demanded = Double(patience.minimumRate) * Double(wait.nanoseconds) / 1e9
    if Double(bytes) < demanded { return true }
    bytes = 0
    waited = .zero
    if waitingSince != nil { waitingSince = now }
    return false
  }
}
