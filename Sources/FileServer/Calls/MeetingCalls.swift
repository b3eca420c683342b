import FileSessions
import LocalService

/// The calls about meetings, for one caller.
struct MeetingCalls: Sendable {
  let service: any MeetingService

  /// `POST /v1/meetings`
  func create(_ body: [UInt8], _ call: Call, key: String?) async throws(ServiceError) -> Answer {
    let body = try JSONFields(body: body)
    try body.allowOnly("fields", "relationships", "autoCreateRecords")
    // A hint to the real service, which links records that this one does not keep.
    _ = try body.bool("autoCreateRecords")
    let fields = try body.requiredObject("fields")
    try fields.allowOnly(
      "$title", "$startDate", "$endDate", "$description", "$meetingUrl", "$organizerEmail", "$attendeeEmails",
      "$privacySetting")
    var meeting = NewMeeting(
      title: try fields.requiredString("$title"), startDate: try fields.requiredMoment("$startDate"),
      endDate: try fields.requiredMoment("$endDate"))
    meeting.description = try fields.string("$description", orNull: true)
    meeting.meetingURL = try fields.string("$meetingUrl", orNull: true)
    meeting.organizerEmail = try fields.string("$organizerEmail", orNull: true)
    meeting.attendeeEmails = try fields.strings("$attendeeEmails") ?? []
    meeting.privacySetting = try fields.privacy("$privacySetting")
    if let relationships = try body.object("relationships") {
      try relationships.allowOnly("$transcript")
      meeting.transcript = try relationships.transcript()
    }
    return try Answer(json: try await service.createMeeting(meeting, key: key))
  }

  /// `POST /v1/meetings/{id}`
  func update(_ body: [UInt8], _ call: Call, key: String?) async throws(ServiceError) -> Answer {
    let body = try JSONFields(body: body)
    try body.allowOnly("fields", "relationships")
    var change = MeetingChange()
    if let fields = try body.object("fields") {
      try fields.allowOnly("$privacySetting")
      guard fields.has("$privacySetting") else { throw fields.missing("$privacySetting") }
      change.privacySetting = try fields.privacy("$privacySetting")
    }
    if let relationships = try body.object("relationships") {
      try relationships.allowOnly("$transcript")
      let transcript = try relationships.requiredObject("$transcript")
      try transcript.allowOnly("replace")
      change.transcript = try transcript.requiredString("replace")
    }
    return try Answer(json: try await service.updateMeeting(call.target, change, key: key))
  }

  /// `GET /v1/meetings/{id}`
  func retrieve(_ call: Call) async throws(ServiceError) -> Answer {
    try Answer(json: try await service.retrieveMeeting(call.target))
  }

  /// `GET /v1/meetings`
  func list(_ call: Call) async throws(ServiceError) -> Answer {
    let (limit, offset) = (
      try call.query.number("limit", minimum: 1), try call.query.number("offset", minimum: 0)
    )
    return try Answer(json: try await service.listMeetings(limit: limit, offset: offset))
  }
}

extension JSONFields {
  /// A moment that must be there, ISO 8601 with a time zone.
  fileprivate func requiredMoment(_ name: String) throws(ServiceError) -> Timestamp {
    let text = try requiredString(name)
    guard let moment = Timestamp(text) else {
      throw invalid(name, "The field \(name) takes an ISO 8601 time with a time zone, such as 2026-04-08T11:00:00Z.")
    }
    return moment
  }

  fileprivate func privacy(_ name: String) throws(ServiceError) -> Meeting.Privacy? {
    guard let text = try string(name, orNull: true) else { return nil }
    guard let privacy = Meeting.Privacy(rawValue: text) else {
      let known = Meeting.Privacy.allCases.map(\.rawValue).joined(separator: " or ")
      throw invalid(name, "The field \(name) takes \(known).")
    }
    return privacy
  }

  /// The file's id: by itself, or in a list of one.
  fileprivate func transcript() throws(ServiceError) -> String {
    let name = "$transcript"
    guard case .array? = self[name] else { return try requiredString(name) }
    let ids = try strings(name) ?? []
    guard ids.count == 1 else { throw invalid(name, "A meeting has one transcript; \(ids.count) are given.") }
    return ids[0]
  }
}
