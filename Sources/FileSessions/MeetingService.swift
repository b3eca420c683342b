/// The meetings of the API as one caller sees them: Lightfield's, or the local service's.
///
/// Like those of ``FileService``, every call is a single attempt that ends in a value or in a ``ServiceError``.
package protocol MeetingService: Sendable {
  /// Records a meeting that took place.
  ///
  /// - Parameter key: the idempotency key, at most 255 characters, or nil. A repeat with the same key within
  ///   24 hours gives the same meeting.
  func createMeeting(_ meeting: NewMeeting, key: String?) async throws(ServiceError) -> Meeting

  /// Changes what `change` names of the meeting `id`.
  func updateMeeting(_ id: String, _ change: MeetingChange, key: String?) async throws(ServiceError)
    -> Meeting

  /// The meeting as it stands now.
  func retrieveMeeting(_ id: String) async throws(ServiceError) -> Meeting

  /// A page of meetings, by `createdAt`, newest first. `limit` is 1 or more (25 at most are given), `offset` 0 or
  /// more.
  func listMeetings(limit: Int?, offset: Int?) async throws(ServiceError) -> MeetingList
}

/// What a service tells about the key that it is asked with.
package protocol AuthorizationService: Sendable {
  /// Asks whether the key is valid, and what for; needs no scope.
  func validateAuthorization() async throws(ServiceError) -> Authorization
}

/// The answer of `GET /v1/auth/validate`.
package struct Authorization: Hashable, Sendable, Codable {
  /// What kind of account a key stands for.
  package enum SubjectType: String, Hashable, Sendable, Codable {
    case user, workspace
  }

  package var active: Bool
  /// What the key may do, such as `files:create`; empty for everything.
  package var scopes: [String]
  package var subjectType: SubjectType
  /// Always `api_key`.
  package var tokenType: String

  package init(active: Bool, scopes: [String], subjectType: SubjectType, tokenType: String = "api_key") {
    self.active = active
    self.scopes = scopes
    self.subjectType = subjectType
    self.tokenType = tokenType
  }
}

/// All that a key opens.
package typealias LightfieldService = FileService & MeetingService & AuthorizationService
