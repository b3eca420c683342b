import FileSessions
import NIOHTTP1

extension HTTPHeaders {
  /// How long the service asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date.
  ///
  /// - Parameter now: the present moment by the clock of this machine, for a date in an answer that has none of
  ///   its own.
  func retryAfter(now: Timestamp) -> Duration? {
    if let milliseconds = number("retry-after-ms") { return Self.wait(milliseconds / 1000) }
    if let seconds = number("retry-after") { return Self.wait(seconds) }
    guard let moment = first(name: "retry-after").flatMap(Timestamp.init(http:)) else { return nil }
    // By the service's own clock, so that it does not matter how this machine's is set.
    return Self.wait((moment - (date ?? now)).inSeconds)
  }

  /// When the service answered, by its own clock.
  var date: Timestamp? { first(name: "date").flatMap(Timestamp.init(http:)) }

  private func number(_ name: String) -> Double? {
    first(name: name).flatMap { Double($0.filter { $0 != " " }) }
  }

  private static func wait(_ seconds: Double) -> Duration? {
    guard seconds.isFinite, seconds >= 0, seconds < 1_000_000_000 else { return nil }
    return .milliseconds(Int64((seconds * 1000).rounded(.up)))
  }
}

extension Timestamp {
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Reads the date of a header, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7); nil when it is something else.
  init?(http text: String) {
    let parts = text.split(separator: " ").map(String.init)
    guard parts.count == 6, parts[5] == "GMT" || parts[5] == "UTC",
      let month = Self.months.firstIndex(of: parts[2]),
      let day = Int(parts[1]), let year = Int(parts[3]), year >= 1970, year <= 9999
    else { return nil }
    let padded = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
    self.init("\(year)-\(padded(month + 1))-\(padded(day))T\(parts[4])Z")
  }
}
