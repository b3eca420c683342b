import FileSessions
import FoundationEssentials
import GRDB

/// A meeting as its row has it.
struct MeetingRecord: Hashable, Sendable {
  var id: String
  var createdAt: Timestamp
  var updatedAt: Timestamp?
  /// What it was made of, with the changes since.
  var content: NewMeeting

  /// What the API shows of it.
  ///
  /// There is no page of it for people, hence no link. Every key of the organisation sees all of it: this service
  /// keeps the privacy setting, but has nobody to hide anything from.
  var meeting: Meeting {
    let empty = JSONValue.null
    let attendees = content.attendeeEmails.map(JSONValue.string)
    let privacy = content.privacySetting ?? .full
    return Meeting(
      id: id, createdAt: createdAt, updatedAt: updatedAt, httpLink: nil, accessLevel: .full,
      fields: [
        "$title": .init(value: .string(content.title), valueType: "TEXT"),
        "$startDate": .init(value: .string(content.startDate.description), valueType: "DATETIME"),
        "$endDate": .init(value: .string(content.endDate.description), valueType: "DATETIME"),
        "$description": .init(value: content.description.map(JSONValue.string) ?? empty, valueType: "TEXT"),
        "$meetingUrl": .init(value: content.meetingURL.map(JSONValue.string) ?? empty, valueType: "URL"),
        "$organizerEmail": .init(
          value: content.organizerEmail.map(JSONValue.string) ?? empty, valueType: "EMAIL"),
        "$attendeeEmails": .init(value: .array(attendees), valueType: "EMAIL"),
        "$privacySetting": .init(value: .string(privacy.rawValue), valueType: "SINGLE_SELECT"),
      ],
      relationships: [
        "$transcript": .init(
          cardinality: "has_one", objectType: "file", values: content.transcript.map { [$0] } ?? [])
      ])
  }

  /// The meeting with what `change` names changed.
  func applying(_ change: MeetingChange, at now: Timestamp) -> MeetingRecord {
    var record = self
    record.content.transcript = change.transcript ?? content.transcript
    record.content.privacySetting = change.privacySetting ?? content.privacySetting
    if record.content != content { record.updatedAt = now }
    return record
  }
}

extension MeetingRecord {
  static let columns = "id, created_at, updated_at, content"

  /// Reads the ``columns``.
  init(_ row: Row) throws {
    let content: NewMeeting
    do {
      content = try JSONDecoder().decode(NewMeeting.self, from: Data((row[3] as String).utf8))
    } catch {
      throw DatabaseError(
        resultCode: .SQLITE_CORRUPT, message: "the meeting \(row[0] as String) cannot be read: \(error)")
    }
    self.init(
      id: row[0], createdAt: Timestamp(milliseconds: row[1]),
      updatedAt: (row[2] as Int64?).map(Timestamp.init(milliseconds:)), content: content)
  }
}

extension NewMeeting {
  /// Checks what a meeting is recorded with at `now`; the error names the parameter.
  func check(at now: Timestamp) throws(ServiceError) {
    guard !title.allSatisfy(\.isWhitespace) else {
      throw .invalid("fields.$title", code: .invalidValue, "The title is empty.")
    }
    for (name, date) in [("$startDate", startDate), ("$endDate", endDate)] where date > now {
      throw .invalid(
        "fields.\(name)", code: .invalidValue,
        "fields.\(name) is \(date), in the future; only meetings that took place are recorded.")
    }
    guard endDate >= startDate else {
      throw .invalid(
        "fields.$endDate", code: .invalidValue,
        "The meeting ends at \(endDate), before it starts at \(startDate).")
    }
    if let organizerEmail { try Self.check(email: organizerEmail, at: "fields.$organizerEmail") }
    for (index, email) in attendeeEmails.enumerated() {
      try Self.check(email: email, at: "fields.$attendeeEmails[\(index)]")
    }
  }

  /// Only what no address lacks: something on both sides of an @.
  private static func check(email: String, at place: String) throws(ServiceError) {
    let parts = email.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count >= 2, parts.allSatisfy({ !$0.isEmpty }), !email.contains(where: \.isWhitespace) else {
      throw .invalid(place, code: .invalidValue, "\(place) is \"\(email)\", which is not an email address.")
    }
  }
}
