import LuaHost

/// A moment in UTC as a calendar and a clock show it.
struct CivilTime: Hashable, Sendable {
  let year: Int
  let month: Int
  let day: Int
  let hour: Int
  let minute: Int
  let second: Int
  let millisecond: Int
  /// Days since 1970-01-01.
  private let days: Int

  private static let secondsOfADay = 86_400

  /// The moment, cut to the millisecond; nil outside of the years 1 to 9999.
  init?(seconds: Double) {
    guard seconds.isFinite, abs(seconds) < 1e12 else { return nil }
    // To the nearest microsecond first: 0.3 is a little less than 300 milliseconds.
    let milliseconds = Int(((seconds * 1e6).rounded() / 1e3).rounded(.down))
    let whole = milliseconds.floored(by: 1000)
    days = whole.quotient.floored(by: Self.secondsOfADay).quotient
    let rest = whole.quotient.floored(by: Self.secondsOfADay).remainder
    (hour, minute, second, millisecond) = (rest / 3600, rest / 60 % 60, rest % 60, whole.remainder)
    (year, month, day) = Self.date(days: days)
    guard (1...9999).contains(year) else { return nil }
  }

  /// Reads a date, or a date and a time, of ISO 8601: seconds since 1970. Without a zone it is UTC.
  static func parse(_ text: String) -> Double? {
    var scanner = Scanner(text)
    guard let year = scanner.digits(4), scanner.take("-"), let month = scanner.digits(2), scanner.take("-"),
      let day = scanner.digits(2), (1...9999).contains(year), (1...12).contains(month),
      (1...length(ofMonth: month, year)).contains(day)
    else { return nil }
    let midnight = Double(days(year, month, day) * secondsOfADay)
    if scanner.isAtEnd { return midnight }
    guard scanner.take("T") || scanner.take("t") || scanner.take(" "), let time = scanner.time(),
      let offset = scanner.offset(), scanner.isAtEnd
    else { return nil }
    return midnight + time - Double(offset)
  }

  /// `2026-04-08T11:00:00Z`, with milliseconds where there are any.
  var iso: String {
    let fraction = millisecond == 0 ? "" : "." + padded(millisecond, 3)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
      + "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))\(fraction)Z"
  }

  // MARK: - Patterns

  struct PatternError: Error {
    let problem: String
    let hint: String
  }

  private static let monthNames = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
  ]
  private static let dayNames = [
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
  ]

  /// 0 for Monday.
  private var weekday: Int { (days + 3).floored(by: 7).remainder }

  /// The moment in a pattern like `os.date`'s: `%Y-%m-%d`; names are English, the zone is UTC.
  func format(_ pattern: String) throws(PatternError) -> String {
    var result = ""
    var rest = pattern[...]
    while let percent = rest.firstIndex(of: "%") {
      result += rest[..<percent]
      rest = rest[percent...].dropFirst()
      guard let letter = rest.popFirst(), let text = field(letter) else {
        throw PatternError(
          problem:
            "the pattern has an unknown \"\(escapingControls(String(pattern[percent...].prefix(2))))\"",
          hint: "known are %Y %m %d %H %M %S %L %y %j %a %A %b %B %F %T %Z %s and %%")
      }
      result += text
    }
    return result + rest
  }

  private func field(_ letter: Character) -> String? {
    switch letter {
    case "Y": padded(year, 4)
    case "y": padded(year % 100, 2)
    case "m": padded(month, 2)
    case "d": padded(day, 2)
    case "H": padded(hour, 2)
    case "M": padded(minute, 2)
    case "S": padded(second, 2)
    case "L": padded(millisecond, 3)
    case "j": padded(days - Self.days(year, 1, 1) + 1, 3)
    case "a": String(Self.dayNames[weekday].prefix(3))
    case "A": Self.dayNames[weekday]
    case "b": String(Self.monthNames[month - 1].prefix(3))
    case "B": Self.monthNames[month - 1]
    case "F": "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    case "T": "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
    case "Z": "UTC"
    case "s": String(days * Self.secondsOfADay + hour * 3600 + minute * 60 + second)
    case "%": "%"
    default: nil
    }
  }

  // MARK: - The calendar

  /// The date so many days after 1970-01-01, in the Gregorian calendar; years begin in March, so that the
  /// day of a leap year is the last.
  private static func date(days: Int) -> (year: Int, month: Int, day: Int) {
    let (era, dayOfEra) = (days + 719_468).floored(by: 146_097)
    let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (year + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }

  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let (era, yearOfEra) = (month <= 2 ? year - 1 : year).floored(by: 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func length(ofMonth month: Int, _ year: Int) -> Int {
    let next = month == 12 ? days(year + 1, 1, 1) : days(year, month + 1, 1)
    return next - days(year, month, 1)
  }
}

/// Reads the parts of a time from left to right.
private struct Scanner {
  private var rest: Substring.UTF8View

  init(_ text: String) { rest = text[...].utf8 }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let first = rest.first, UInt32(first) == character.value else { return false }
    rest.removeFirst()
    return true
  }

  mutating func digit() -> Int? {
    guard let first = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
    rest.removeFirst()
    return Int(first - UInt8(ascii: "0"))
  }

  mutating func digits(_ count: Int) -> Int? {
    var value = 0
    for _ in 0..<count {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  /// `11:00`, `11:00:05`, `11:00:05.25`: seconds since midnight.
  mutating func time() -> Double? {
    guard let hour = digits(2), hour < 24, take(":"), let minute = digits(2), minute < 60 else { return nil }
    let start = Double(hour * 3600 + minute * 60)
    guard take(":") else { return start }
    // 60 is a leap second.
    guard let second = digits(2), second <= 60 else { return nil }
    guard take(".") || take(",") else { return start + Double(second) }
    guard let first = digit() else { return nil }
    var (fraction, unit) = (Double(first) / 10, 0.01)
    while let next = digit() {
      fraction += Double(next) * unit
      unit /= 10
    }
    return start + Double(second) + fraction
  }

  /// `Z`, `+02:00`, `+0200`, `+02`, or nothing: seconds east of UTC.
  mutating func offset() -> Int? {
    if isAtEnd || take("Z") || take("z") { return 0 }
    let isWest = take("-")
    guard isWest || take("+"), let hours = digits(2), hours < 24 else { return nil }
    var minutes = 0
    if !isAtEnd {
      _ = take(":")
      guard let read = digits(2), read < 60 else { return nil }
      minutes = read
    }
    return (isWest ? -1 : 1) * (hours * 3600 + minutes * 60)
  }
}

private func padded(_ number: Int, _ width: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension Int {
  /// The quotient rounded down, and a remainder that is never negative.
  fileprivate func floored(by divisor: Int) -> (quotient: Int, remainder: Int) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
