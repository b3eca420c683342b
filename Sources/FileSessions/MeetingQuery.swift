import Foundation

/// What a meeting is found by: the day on which it began, its title, or both.
package struct MeetingQuery: Hashable, Sendable {
  /// Compared without regard to case, to white space around it, and to how much there is within.
  package var title: String?
  package var day: CalendarDay?
  /// Where `day` is a day.
  package var timeZone: TimeZone

  package init(title: String?, day: CalendarDay?, timeZone: TimeZone = .gmt) {
    self.title = title
    self.day = day
    self.timeZone = timeZone
  }

  /// Whether the meeting is one that is asked for.
  package func matches(_ meeting: Meeting) -> Bool {
    if let day {
      guard let start = meeting.startDate, CalendarDay(of: start, in: timeZone) == day else { return false }
    }
    guard let title else { return true }
    return meeting.title.map(Self.plain) == Self.plain(title)
  }

  private static func plain(_ title: String) -> String {
    title.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}

extension MeetingQuery: CustomStringConvertible {
  /// `"Kickoff" on 2026-04-08 (Europe/Berlin)`
  package var description: String {
    let words = [title.map { "\"\($0)\"" }, day.map { "on \($0) (\(zone))" }]
    return words.compactMap(\.self).joined(separator: " ")
  }

  /// Foundation calls its own UTC by another name.
  private var zone: String { timeZone == .gmt ? "UTC" : timeZone.identifier }
}

/// Several meetings are what was asked for, and nobody said that the first will do.
package struct AmbiguousMeeting: Error, Hashable, Sendable, CustomStringConvertible {
  package let query: MeetingQuery
  /// All of them, in the order in which ``MeetingFinder`` would take them.
  package let meetings: [Meeting]

  package var description: String {
    let shown = meetings.prefix(5).map(\.id).joined(separator: ", ")
    let more = meetings.count > 5 ? " and \(meetings.count - 5) more" : ""
    return "\(meetings.count) meetings match \(query): \(shown)\(more)"
  }
}
