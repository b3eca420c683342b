import FileSessions
import Foundation

/// A minute as the clock on the wall shows it.
struct LocalMinute: Hashable {
  /// Since midnight.
  let ofDay: Int
  /// Since the midnight before Sunday.
  let ofWeek: Int

  init(of moment: Timestamp, in zone: TimeZone) {
    let parts = Self.calendar(in: zone).dateComponents([.weekday, .hour, .minute], from: moment.date)
    ofDay = (parts.hour ?? 0) * 60 + (parts.minute ?? 0)
    ofWeek = ((parts.weekday ?? 1) - 1) * 24 * 60 + ofDay
  }

  /// Reads `08:00`; nil when it is no time of day.
  static func ofDay(_ text: some StringProtocol) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, (1...2).contains(parts[0].utf8.count), parts[1].utf8.count == 2,
      parts.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }),
      let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
    else { return nil }
    return hour * 60 + minute
  }

  static func calendar(in zone: TimeZone) -> Calendar {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    return calendar
  }
}

extension Timestamp {
  var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
