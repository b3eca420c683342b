import FileSessions

extension LightfieldClient: MeetingService, AuthorizationService {
  package func createMeeting(_ meeting: NewMeeting, key: String?) async throws(ServiceError) -> Meeting {
    try await call(.createMeeting(meeting, key: key), Meeting.self)
  }

  package func updateMeeting(
    _ id: String, _ change: MeetingChange, key: String?
  ) async throws(ServiceError) -> Meeting {
    try await call(.updateMeeting(id, change, key: key), Meeting.self)
  }

  package func retrieveMeeting(_ id: String) async throws(ServiceError) -> Meeting {
    try await call(.meeting(id), Meeting.self)
  }

  package func listMeetings(limit: Int?, offset: Int?) async throws(ServiceError) -> MeetingList {
    try await call(.meetings(limit: limit, offset: offset), MeetingList.self)
  }

  package func validateAuthorization() async throws(ServiceError) -> Authorization {
    try await call(.validateAuthorization, Authorization.self)
  }
}
