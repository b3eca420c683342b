import FoundationEssentials

/// A moment in UTC, in whole milliseconds, written as the file API writes it: `2026-04-08T11:00:00.000Z`.
///
/// The API gives milliseconds; a floating-point date would round them, and an expiry that moves by one is
/// another expiry.
package struct Timestamp: Hashable, Comparable, Sendable {
  /// Milliseconds since 1970-01-01T00:00:00Z.
  package var milliseconds: Int64

  /// Makes the moment that is so many milliseconds after 1970-01-01T00:00:00Z.
  package init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  /// Reads ISO 8601 with a time zone, with or without a fraction of a second; nil when it is something else.
  package init?(_ text: String) {
    var whole = text
    var fraction: Int64 = 0
    if let dot = text.firstIndex(of: ".") {
      let digits = text[text.index(after: dot)...].prefix { $0.isASCII && $0.isNumber }
      guard let parsed = Int64((digits + "000").prefix(3)), !digits.isEmpty else { return nil }
      fraction = parsed
      whole.removeSubrange(dot..<digits.endIndex)
    }
    guard let date = try? Date.ISO8601FormatStyle().parse(whole) else { return nil }
    self.milliseconds = Int64(date.timeIntervalSince1970.rounded()) * 1000 + fraction
  }

  package static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds < right.milliseconds
  }

  /// The moment that lies `duration` later, cut to whole milliseconds.
  package static func + (moment: Timestamp, duration: Duration) -> Timestamp {
    Timestamp(milliseconds: moment.milliseconds + duration.wholeMilliseconds)
  }

  /// How long after `right` the moment `left` is; negative when it is before.
  package static func - (left: Timestamp, right: Timestamp) -> Duration {
    .milliseconds(left.milliseconds - right.milliseconds)
  }
}

extension Timestamp: CustomStringConvertible {
  package var description: String {
    let seconds = milliseconds.flooredQuotient(1000)
    let fraction = String(milliseconds - seconds * 1000)
    let padded = String(repeating: "0", count: 3 - fraction.count) + fraction
    let whole = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    return "\(whole.dropLast()).\(padded)Z"
  }
}

extension Timestamp: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let moment = Timestamp(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\"\(text)\" is not an ISO 8601 time with a time zone")
    }
    self = moment
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension Duration {
  /// The duration in milliseconds, cut toward zero.
  package var wholeMilliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }

  /// The duration in seconds.
  package var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}

extension Int64 {
  fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
