import FileSessions

/// What is under way on a line, and how much more may be opened so that all of it ends before its sessions do.
///
/// What is sent at the same time shares the line. A file is begun only where that leaves each the rate that it needs
/// to be sent in the life of its session, and where all of it together takes no longer than half a life; the other
/// half is for what goes wrong. One alone is begun in any case.
package struct LineLoad: Sendable {
  private struct Transfer {
    var left: Int64
    /// When its session ends.
    var end: Timestamp
  }

  /// What may be under way as long as nothing is known of the line: little enough for a slow one.
  package static let untested: Int64 = 128 << 20

  /// How long sessions live: what was seen last.
  package private(set) var lifetime = Duration.seconds(3600)
  private var transfers: [Int: Transfer] = [:]

  package init() {}

  /// Whether nothing has to be sent.
  package var isIdle: Bool { transfers.values.allSatisfy { $0.left <= 0 } }

  /// Whether a file of so many bytes may be begun.
  ///
  /// - Parameter rate: what the line carries in a second, in bytes; nil: not known.
  package func admits(_ size: Int64, rate: Double?, now: Timestamp) -> Bool {
    let others = transfers.values.filter { $0.left > 0 }
    if others.isEmpty { return true }
    let sum = Double(others.reduce(size) { $0 + $1.left })
    guard let rate else { return sum <= Double(Self.untested) }
    guard sum <= rate * lifetime.inSeconds / 2 else { return false }
    let part = rate / Double(others.count + 1)
    return others.allSatisfy { Double($0.left) <= part * ($0.end - now).inSeconds }
  }

  /// How long a file takes where it has the line to itself; nil where that is within the life of a session.
  package func excess(of size: Int64, rate: Double?) -> Duration? {
    guard let rate, rate > 0 else { return nil }
    let time = Duration.seconds(Double(size) / rate)
    return time > lifetime ? time : nil
  }

  /// A file is begun.
  package mutating func begin(_ number: Int, size: Int64, now: Timestamp) {
    transfers[number] = Transfer(left: size, end: now + lifetime)
  }

  /// Its session is open, for the first time or anew.
  package mutating func open(_ number: Int, _ session: FileSession, now: Timestamp) {
    guard let expiry = session.expiresAt, expiry > session.createdAt else { return }
    lifetime = expiry - session.createdAt
    // By this machine's clock, which may be another than the service's.
    let latest = now + lifetime
    transfers[number]?.end = (now..<latest).contains(expiry) ? expiry : latest
  }

  /// So many of its bytes are still to be sent.
  package mutating func progress(_ number: Int, left: Int64) {
    transfers[number]?.left = left
  }

  package mutating func end(_ number: Int) {
    transfers[number] = nil
  }
}

/// What a line carries in a second, measured while there is something to send.
package struct LineMeter: Sendable {
  /// How long a measurement takes, in seconds, and how much may be one that was cut short.
  private static let span = 1.0
  private static let enough: Int64 = 4 << 20
  /// The weight of what was measured last.
  private static let weight = 0.3

  /// In bytes a second; nil: not known yet.
  package private(set) var rate: Double?
  private var began: Timestamp?
  private var bytes: Int64 = 0

  package init() {}

  /// So many bytes more were sent.
  package mutating func add(_ count: Int64, now: Timestamp) {
    guard let start = began, start <= now else {
      // From here on; a clock that was set back measures nothing.
      (began, bytes) = (now, 0)
      return
    }
    bytes += count
    if (now - start).inSeconds >= Self.span { close(at: now) }
  }

  /// There is nothing to send any more.
  package mutating func rest(now: Timestamp) {
    if bytes >= Self.enough { close(at: now) }
    began = nil
    bytes = 0
  }

  private mutating func close(at now: Timestamp) {
    guard let start = began, now > start else { return }
    let measured = Double(bytes) / (now - start).inSeconds
    rate = rate.map { $0 + (measured - $0) * Self.weight } ?? measured
    began = now
    bytes = 0
  }
}
