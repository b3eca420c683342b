import FileSessions
import Foundation

/// How many bytes a second may be sent, by the day and the hour: rclone's notation.
///
/// `10M` at any time; `08:00,512K 18:00,off` from these times on, each day; `Mon-08:00,512K Sat-00:00,off` from these
/// times of the week on. An entry without a day is for each of them. The clock is the local one.
package struct BandwidthTimetable: Hashable, Sendable {
  /// What is wrong with a text.
  package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    package let message: String
    package var description: String { message }
  }

  /// From a minute of the week on.
  private struct Entry: Hashable {
    var minute: Int
    /// In bytes a second; nil: without limit.
    var rate: Int64?
  }

  private static let minutesOfDay = 24 * 60
  private static let minutesOfWeek = 7 * minutesOfDay
  private static let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

  /// By their minutes; one at the least.
  private var entries: [Entry]

  /// Reads a rate, or a timetable with a space between its entries.
  package init(_ text: String) throws(Problem) {
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard let first = words.first else {
      throw Problem(
        message: "it is empty; write a rate such as 10M, or a timetable such as \"08:00,512K 18:00,off\"")
    }
    if words.count == 1, !first.contains(where: { ",:".contains($0) }) {
      entries = [Entry(minute: 0, rate: try Self.rate(first))]
      return
    }
    var byMinute: [Int: Int64?] = [:]
    for word in words {
      for entry in try Self.entries(word) {
        guard byMinute.updateValue(entry.rate, forKey: entry.minute) == nil else {
          throw Problem(message: "\"\(word)\" is for a time that another entry is for too")
        }
      }
    }
    entries = byMinute.map { Entry(minute: $0.key, rate: $0.value) }.sorted { $0.minute < $1.minute }
  }

  /// Whether there is no limit at any time.
  package var isUnlimited: Bool { entries.allSatisfy { $0.rate == nil } }

  /// The rate at a moment in bytes a second; nil: without limit.
  package func rate(at moment: Timestamp, in zone: TimeZone) -> Int64? {
    entries[index(at: LocalMinute(of: moment, in: zone).ofWeek)].rate
  }

  /// How many bytes a second may be sent on the average in a time that begins at a moment; nil: without limit.
  ///
  /// A clock that is put forward or back in that time is not thought of.
  package func average(over time: Duration, from moment: Timestamp, in zone: TimeZone) -> Double? {
    var left = max(1, Int(time.components.seconds) / 60)
    let whole = left
    var minute = LocalMinute(of: moment, in: zone).ofWeek
    var bytes = 0.0
    while left > 0 {
      let current = index(at: minute)
      guard let rate = entries[current].rate else { return nil }
      let next = entries[(current + 1) % entries.count].minute
      let span = entries.count == 1 ? left : (next - minute - 1 + Self.minutesOfWeek) % Self.minutesOfWeek + 1
      let part = min(left, span)
      bytes += Double(rate) * Double(part)
      left -= part
      minute = (minute + part) % Self.minutesOfWeek
    }
    return bytes / Double(whole)
  }

  /// Which entry holds: the last that has begun; before the first of a week it is the last of the one before.
  private func index(at minute: Int) -> Int {
    entries.lastIndex { $0.minute <= minute } ?? entries.count - 1
  }

  // MARK: - Reading

  private static func entries(_ word: String) throws(Problem) -> [Entry] {
    let parts = word.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      throw Problem(message: "\"\(word)\" is no entry of a timetable; write TIME,RATE such as 08:00,512K")
    }
    let rate = try rate(parts[1])
    var time = parts[0]
    var days = Array(0..<7)
    if let dash = time.firstIndex(of: "-") {
      let name = time[..<dash].lowercased()
      guard let day = Self.days.firstIndex(where: { name.hasPrefix($0) && Self.isDay(name) }) else {
        throw Problem(message: "\"\(time[..<dash])\" in \"\(word)\" is no day; the days are Mon to Sun")
      }
      days = [day]
      time = String(time[time.index(after: dash)...])
    }
    guard let minute = LocalMinute.ofDay(time) else {
      throw Problem(message: "\"\(time)\" in \"\(word)\" is no time of day; write it as 08:00")
    }
    return days.map { Entry(minute: $0 * minutesOfDay + minute, rate: rate) }
  }

  private static func isDay(_ name: String) -> Bool {
    let whole = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    return days.contains(name) || whole.contains(name)
  }

  /// `off`, or a number with B, K, M, G or T (of 1024) behind it, `KiB` and the like too.
  private static func rate(_ text: String) throws(Problem) -> Int64? {
    let lower = text.lowercased()
    if lower == "off" { return nil }
    let digits = lower.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = String(lower[digits.endIndex...])
    let written = text.suffix(unit.count)
    guard digits.first?.isNumber == true, let number = Double(digits) else {
      throw Problem(message: "\"\(text)\" is no rate; write it as 512K, 10M or off")
    }
    guard !unit.isEmpty else {
      if number == 0 { throw Self.nothing(text) }
      throw Problem(message: "\"\(text)\" has no unit; write \(text)K for KiB a second, \(text)M for MiB")
    }
    let units = ["b": 0, "k": 1, "m": 2, "g": 3, "t": 4]
    guard let power = unit.first.flatMap({ units[String($0)] }),
      ["", "i", "ib"].contains(unit.dropFirst()), power > 0 || unit == "b"
    else {
      throw Problem(
        message: "\"\(text)\" has the unit \"\(written)\"; the units are B, K, M, G and T, of 1024")
    }
    var bytes = number
    for _ in 0..<power { bytes *= 1024 }
    if bytes == 0 { throw Self.nothing(text) }
    guard bytes >= 1024 else {
      throw Problem(message: "\"\(text)\" is too slow; the least is 1K, 1024 bytes a second")
    }
    guard bytes < 1e15 else {
      throw Problem(message: "\"\(text)\" is faster than any line; write off for no limit")
    }
    return Int64(bytes)
  }

  private static func nothing(_ text: String) -> Problem {
    Problem(
      message:
        "at \"\(text)\" nothing would be sent; write off for no limit, and --window for hours without sending"
    )
  }
}
