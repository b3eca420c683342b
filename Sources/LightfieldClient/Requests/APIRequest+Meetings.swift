import FileSessions

extension APIRequest {
  static func createMeeting(_ meeting: NewMeeting, key: String?) throws(ServiceError) -> APIRequest {
    APIRequest(
      method: .POST, path: "/v1/meetings", body: try Body(MeetingBody(meeting)), category: .write,
      scope: "meetings:create", idempotencyKey: key)
  }

  static func updateMeeting(
    _ id: String, _ change: MeetingChange, key: String?
  ) throws(ServiceError) -> APIRequest {
    APIRequest(
      method: .POST, path: "/v1/meetings/\(try id.pathSegment)", body: try Body(MeetingChangeBody(change)),
      category: .write, scope: "meetings:update", idempotencyKey: key)
  }

  static func meeting(_ id: String) throws(ServiceError) -> APIRequest {
    APIRequest(path: "/v1/meetings/\(try id.pathSegment)", category: .read, scope: "meetings:read")
  }

  static func meetings(limit: Int?, offset: Int?) -> APIRequest {
    APIRequest(
      path: "/v1/meetings", query: page(limit, offset), category: .search, scope: "meetings:read")
  }

  static let validateAuthorization = APIRequest(path: "/v1/auth/validate", category: .read, scope: nil)
}

/// The body of `POST /v1/meetings`.
private struct MeetingBody: Encodable {
  struct Fields: Encodable {
    enum CodingKeys: String, CodingKey {
      case title = "$title"
      case startDate = "$startDate"
      case endDate = "$endDate"
      case description = "$description"
      case meetingURL = "$meetingUrl"
      case organizerEmail = "$organizerEmail"
      case attendeeEmails = "$attendeeEmails"
      case privacySetting = "$privacySetting"
    }

    let title: String
    let startDate: Timestamp
    let endDate: Timestamp
    let description: String?
    let meetingURL: String?
    let organizerEmail: String?
    let attendeeEmails: [String]?
    let privacySetting: Meeting.Privacy?
  }

  let fields: Fields
  let relationships: [String: String]?

  init(_ meeting: NewMeeting) {
    fields = Fields(
      title: meeting.title, startDate: meeting.startDate, endDate: meeting.endDate,
      description: meeting.description, meetingURL: meeting.meetingURL,
      organizerEmail: meeting.organizerEmail,
      attendeeEmails: meeting.attendeeEmails.isEmpty ? nil : meeting.attendeeEmails,
      privacySetting: meeting.privacySetting)
    relationships = meeting.transcript.map { ["$transcript": $0] }
  }
}

/// The body of `POST /v1/meetings/{id}`.
private struct MeetingChangeBody: Encodable {
  let fields: [String: Meeting.Privacy]?
  let relationships: [String: [String: String]]?

  init(_ change: MeetingChange) {
    fields = change.privacySetting.map { ["$privacySetting": $0] }
    relationships = change.transcript.map { ["$transcript": ["replace": $0]] }
  }
}
