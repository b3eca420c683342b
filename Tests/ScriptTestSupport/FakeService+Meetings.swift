import FileSessions

/// Meetings as the contract says as far as these tests go.
extension FakeService {
  package func createMeeting(_ new: NewMeeting, key: String?) async throws(ServiceError) -> Meeting {
    try meetings.withLock { state throws(ServiceError) in
      if let error = state.error { throw error }
      if let key {
        state.keys.append(key)
        if let made = state.answers[key] { return made }
      }
      let created = Timestamp(milliseconds: 1_775_646_000_000 + Int64(state.meetings.count))
      let meeting = Meeting(
        id: "mtg_\(state.meetings.count + 1)", createdAt: created, updatedAt: nil, httpLink: nil,
        accessLevel: .full,
        fields: [
          "$title": .init(value: .string(new.title), valueType: "TEXT"),
          "$startDate": .init(value: .string(new.startDate.description), valueType: "DATETIME"),
          "$endDate": .init(value: .string(new.endDate.description), valueType: "DATETIME"),
          "$description": .init(value: new.description.map(JSONValue.string) ?? .null, valueType: "TEXT"),
          "$attendeeEmails": .init(
            value: .array(new.attendeeEmails.map(JSONValue.string)), valueType: "EMAIL"),
          "$privacySetting": .init(
            value: .string((new.privacySetting ?? .full).rawValue), valueType: "SINGLE_SELECT"),
        ],
        relationships: ["$transcript": Self.transcript(new.transcript)])
      state.meetings.append(meeting)
      if let key { state.answers[key] = meeting }
      return meeting
    }
  }

  package func updateMeeting(
    _ id: String, _ change: MeetingChange, key: String?
  ) async throws(ServiceError) -> Meeting {
    try meetings.withLock { state throws(ServiceError) in
      if let key { state.keys.append(key) }
      guard let index = state.meetings.firstIndex(where: { $0.id == id }) else {
        throw ServiceError(.notFound, "There is no meeting \(id).")
      }
      state.updates += 1
      let age = state.meetings[index].updatedAt ?? state.meetings[index].createdAt
      state.meetings[index].updatedAt = age + .seconds(1)
      if let transcript = change.transcript {
        state.meetings[index].relationships["$transcript"] = Self.transcript(transcript)
      }
      return state.meetings[index]
    }
  }

  package func retrieveMeeting(_ id: String) async throws(ServiceError) -> Meeting {
    try meetings.withLock { state throws(ServiceError) in
      guard let meeting = state.meetings.first(where: { $0.id == id }) else {
        throw ServiceError(.notFound, "There is no meeting \(id).")
      }
      return meeting
    }
  }

  package func listMeetings(limit: Int?, offset: Int?) async throws(ServiceError) -> MeetingList {
    meetings.withLock { state in
      state.lists += 1
      let rest = state.meetings.reversed().dropFirst(offset ?? 0).prefix(min(limit ?? 25, 25))
      return MeetingList(data: Array(rest), totalCount: state.meetings.count)
    }
  }

  package func validateAuthorization() async throws(ServiceError) -> Authorization {
    Authorization(active: true, scopes: [], subjectType: .user)
  }

  private static func transcript(_ id: String?) -> Meeting.Relationship {
    .init(cardinality: "has_one", objectType: "file", values: id.map { [$0] } ?? [])
  }
}

/// The meetings of a ``FakeService``, and what was asked about them.
package struct FakeMeetings: Sendable {
  /// Oldest first.
  package var meetings: [Meeting] = []
  /// The idempotency keys of creates and updates, in order.
  package var keys: [String] = []
  /// How many pages were listed.
  package var lists = 0
  /// How many updates were carried out.
  package var updates = 0
  /// What the next creates fail with.
  package var error: ServiceError?
  fileprivate var answers: [String: Meeting] = [:]
}
