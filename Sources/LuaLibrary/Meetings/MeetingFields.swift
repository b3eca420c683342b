import FileSessions
import Foundation
import LuaHost

extension NewMeeting {
  /// Reads what `moontide.meetings.create` was given.
  init(_ fields: LuaFields) throws {
    try fields.onlyKnown([
      "title", "start_date", "end_date", "description", "meeting_url", "organizer_email", "attendee_emails",
      "privacy_setting", "transcript", "auto_create_records",
    ])
    self.init(
      title: try fields.string("title"), startDate: try fields.moment("start_date"),
      endDate: try fields.moment("end_date"), description: try fields.optionalString("description"),
      meetingURL: try fields.optionalString("meeting_url"),
      organizerEmail: try fields.optionalString("organizer_email"),
      attendeeEmails: try fields.optionalStrings("attendee_emails") ?? [],
      privacySetting: try fields.optionalString("privacy_setting").map { text in
        guard let privacy = Meeting.Privacy(rawValue: text) else {
          throw fields.error("privacy_setting", wanted: "\"FULL\" or \"METADATA\"")
        }
        return privacy
      },
      transcript: try fields["transcript"].map { value in
        guard let id = value.sessionID else {
          throw fields.error("transcript", wanted: "file's id or session")
        }
        return id
      },
      autoCreateRecords: try fields.optionalBoolean("auto_create_records"))
  }
}

extension MeetingQuery {
  /// Reads what `moontide.meetings.find` was given.
  init(_ fields: LuaFields) throws {
    try fields.onlyKnown(["title", "day", "time_zone", "first"])
    let zone = try fields.optionalString("time_zone").map { name in
      guard let zone = TimeZone(identifier: name) else {
        throw fields.error("time_zone", wanted: "time zone such as \"Europe/Berlin\"")
      }
      return zone
    }
    let timeZone = zone ?? .gmt
    let day = try fields["day"].map { value in
      guard let day = CalendarDay(value, in: timeZone) else {
        throw fields.error("day", wanted: "day such as \"2026-04-08\", or seconds since 1970")
      }
      return day
    }
    self.init(title: try fields.optionalString("title"), day: day, timeZone: timeZone)
    guard title != nil || day != nil else {
      throw LuaValueError(
        place: fields.place, problem: "nothing to find a meeting by", hint: "give a day, a title, or both")
    }
  }
}

extension CalendarDay {
  /// The day that a value names, or on which the moment lies that it names.
  fileprivate init?(_ value: LuaValue, in zone: TimeZone) {
    if let text = value.text {
      self.init(text)
    } else if let seconds = value.number, let moment = Timestamp(seconds: seconds) {
      self.init(of: moment, in: zone)
    } else {
      return nil
    }
  }
}

extension LuaFields {
  /// A moment: ISO 8601, or seconds since 1970.
  fileprivate func moment(_ name: String) throws -> Timestamp {
    let seconds = self[name].flatMap { value in value.text.flatMap(CivilTime.parse) ?? value.number }
    guard let moment = seconds.flatMap(Timestamp.init(seconds:)) else {
      throw error(name, wanted: "ISO 8601 time, or seconds since 1970")
    }
    return moment
  }
}

extension Timestamp {
  /// The moment so many seconds after 1970; nil outside of the years 1 to 9999.
  fileprivate init?(seconds: Double) {
    guard CivilTime(seconds: seconds) != nil else { return nil }
    self.init(milliseconds: Int64((seconds * 1000).rounded()))
  }
}

extension LuaValue {
  /// The id of a file: as a text, or of a session.
  var sessionID: String? { text ?? object(as: SessionHandle.self)?.session.id }

  /// The id of a meeting: as a text, or of the meeting itself.
  var meetingID: String? { text ?? object(as: Meeting.self)?.id }
}
