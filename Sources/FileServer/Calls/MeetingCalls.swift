import FileSessions
import LocalService

/// The calls about meetings, for one caller.
struct MeetingCalls: Sendable {
  let service: any MeetingService

  /// `POST /v1/meetings`
  func create(_ body: [UInt8], _ call: Call, key: String?) async throws(ServiceError) -> Answer {
    let meeting = try NewMeeting(JSONObjectReader(body: body))
    return try Answer(json: try await service.createMeeting(meeting, key: key))
  }

  /// `POST /v1/meetings/{id}`
  func update(_ body: [UInt8], _ call: Call, key: String?) async throws(ServiceError) -> Answer {
    let change = try MeetingChange(JSONObjectReader(body: body))
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
