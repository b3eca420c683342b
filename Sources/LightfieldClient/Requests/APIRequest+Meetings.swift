import FileSessions

extension APIRequest {
  static func createMeeting(_ meeting: NewMeeting, key: String?) throws(ServiceError) -> APIRequest {
    APIRequest(
      method: .POST, path: "/v1/meetings", body: try Body(meeting), category: .write,
      scope: "meetings:create", idempotencyKey: key)
  }

  static func updateMeeting(
    _ id: String, _ change: MeetingChange, key: String?
  ) throws(ServiceError) -> APIRequest {
    APIRequest(
      method: .POST, path: "/v1/meetings/\(try id.pathSegment)", body: try Body(change),
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
