import FileSessions
import Foundation

/// A time of each day, by the local clock: `22:00-06:00`.
package struct DailyWindow: Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with a text.
  package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// As it was written.
  package let description: String
  /// Minutes since midnight; `end` is the first that is outside.
  private let begin: Int
  private let end: Int

  /// Reads two times of day with a dash between them; the second is the next day's where it is the earlier one.
  package init(_ text: String) throws(Problem) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw Problem(description: "it takes two times of day, such as 22:00-06:00")
    }
    var minutes: [Int] = []
    for part in parts {
      guard let minute = LocalMinute.ofDay(part) else {
        throw Problem(description: "\"\(part)\" is no time of day; write it as 22:00")
      }
      minutes.append(minute)
    }
    guard minutes[0] != minutes[1] else {
      throw Problem(description: "it ends when it begins; leave it out to send at any time")
    }
    (begin, end, description) = (minutes[0], minutes[1], text)
  }

  /// When it opens next; nil where it is open.
  package func opening(after moment: Timestamp, in zone: TimeZone) -> Timestamp? {
    let minute = LocalMinute(of: moment, in: zone).ofDay
    let isOpen = begin < end ? (begin..<end).contains(minute) : minute >= begin || minute < end
    if isOpen { return nil }
    // A time that the clock leaves out, when it is put forward, comes with the next that there is.
    let next = LocalMinute.calendar(in: zone).nextDate(
      after: moment.date, matching: DateComponents(hour: begin / 60, minute: begin % 60, second: 0),
      matchingPolicy: .nextTime)
    return next.map { Timestamp(milliseconds: Int64($0.timeIntervalSince1970 * 1000)) }
      ?? moment + .seconds(24 * 3600)
  }
}

/// The hours in which something new is begun.
package struct OpeningHours: Sendable {
  package let window: DailyWindow
  private let clock: WallClock
  private let zone: TimeZone

  package init(_ window: DailyWindow, clock: WallClock, zone: TimeZone) {
    self.window = window
    self.clock = clock
    self.zone = zone
  }

  /// When they begin; nil where they have begun.
  var opening: Timestamp? { window.opening(after: clock.now, in: zone) }

  /// What a run that is begun now would come to, for people; nil where the hours have begun.
  package var notice: String? {
    opening.map { "outside \(window): a run now would begin nothing before \(time($0))" }
  }

  /// A moment as the local clock shows it: `2026-11-22 22:00`.
  func text(_ moment: Timestamp) -> String {
    "\(CalendarDay(of: moment, in: zone)) \(time(moment))"
  }

  private func time(_ moment: Timestamp) -> String {
    let minute = LocalMinute(of: moment, in: zone).ofDay
    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }
    return "\(two(minute / 60)):\(two(minute % 60))"
  }
}
