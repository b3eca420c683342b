import Foundation

/// A day as a calendar shows it: `2026-04-08`.
package struct CalendarDay: Hashable, Sendable {
  package let year: Int
  package let month: Int
  package let day: Int

  /// Reads `YYYY-MM-DD`; nil when it is something else, or no day of the calendar.
  package init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.utf8.count) == [4, 2, 2], parts.allSatisfy({ $0.allSatisfy(\.isASCIIDigit) }),
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
    else { return nil }
    let calendar = Self.calendar(in: .gmt)
    // A calendar moves 2026-02-30 to March: only what stays is a day.
    guard let moment = calendar.date(from: DateComponents(year: year, month: month, day: day)),
      calendar.dateComponents([.year, .month, .day], from: moment)
        == DateComponents(year: year, month: month, day: day)
    else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
  }

  /// The day that a calendar in `zone` shows at a moment.
  package init(of moment: Timestamp, in zone: TimeZone) {
    let date = Date(timeIntervalSince1970: Double(moment.milliseconds) / 1000)
    let parts = Self.calendar(in: zone).dateComponents([.year, .month, .day], from: date)
    (year, month, day) = (parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
  }

  private static func calendar(in zone: TimeZone) -> Calendar {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    return calendar
  }
}

extension CalendarDay: CustomStringConvertible {
  package var description: String {
    [(year, 4), (month, 2), (day, 2)].map { number, width in
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }.joined(separator: "-")
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
