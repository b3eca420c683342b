import FileSessions
import GRDB

/// Meetings of the caller's organisation.
///
/// Where the contract leaves something open, this is what happens here: a transcript that is no file of the
/// organisation is a 400 about `relationships.$transcript`, one that is not `COMPLETED` a 422; a change that names
/// nothing, or what is there already, succeeds and leaves `updatedAt`.
extension LocalFileService {
  package func createMeeting(_ meeting: NewMeeting, key: String?) async throws(ServiceError) -> Meeting {
    try caller.require(.meetingsCreate)
    try meeting.check(at: store.clock.now)
    let (identifiers, organisation) = (store.identifiers, caller.organisation)
    return try await answer("meetings.create", key: key, request: meeting) { database, now in
      let sessions = SessionTable(database)
      if let refusal = try sessions.refusal(ofTranscript: meeting.transcript, in: organisation) {
        return Outcome(result: .failure(refusal))
      }
      let record = MeetingRecord(
        id: identifiers.identifier("mtg_"), createdAt: now, updatedAt: nil, content: meeting)
      try MeetingTable(database).insert(record, in: organisation)
      return Outcome(result: .success(record.meeting))
    }
  }

  package func updateMeeting(
    _ id: String, _ change: MeetingChange, key: String?
  ) async throws(ServiceError) -> Meeting {
    try caller.require(.meetingsUpdate)
    let organisation = caller.organisation
    let request = Update(id: id, change: change)
    return try await answer("meetings.update", key: key, request: request) { database, now in
      let meetings = MeetingTable(database)
      guard let found = try meetings.find(id, in: organisation) else {
        return Outcome(result: .failure(.noSuchMeeting(id)))
      }
      let sessions = SessionTable(database)
      if let refusal = try sessions.refusal(ofTranscript: change.transcript, in: organisation) {
        return Outcome(result: .failure(refusal))
      }
      let record = found.applying(change, at: now)
      if record != found { try meetings.update(record) }
      return Outcome(result: .success(record.meeting))
    }
  }

  package func retrieveMeeting(_ id: String) async throws(ServiceError) -> Meeting {
    try caller.require(.meetingsRead)
    let organisation = caller.organisation
    guard let record = try await store.read({ try MeetingTable($0).find(id, in: organisation) }) else {
      throw .noSuchMeeting(id)
    }
    return record.meeting
  }

  package func listMeetings(limit: Int?, offset: Int?) async throws(ServiceError) -> MeetingList {
    try caller.require(.meetingsRead)
    let page = try Page(limit: limit, offset: offset)
    let organisation = caller.organisation
    return try await store.read { database in
      let table = MeetingTable(database)
      return MeetingList(
        data: try table.page(page, of: organisation).map(\.meeting),
        totalCount: try table.count(of: organisation))
    }
  }

  /// What an idempotency key of an update stands for.
  private struct Update: Encodable {
    var id: String
    var change: MeetingChange
  }
}

extension LocalFileService {
  /// Tells of the caller; whether its key is valid was found when the caller was.
  package func validateAuthorization() async throws(ServiceError) -> Authorization {
    Authorization(
      active: true, scopes: caller.scopes.map(\.rawValue).sorted(),
      subjectType: caller.standing.isUser ? .user : .workspace)
  }
}

extension SessionTable {
  /// What stands against a file as a meeting's transcript; nil when nothing does, or none is named.
  fileprivate func refusal(ofTranscript id: String?, in organisation: String) throws -> ServiceError? {
    guard let id else { return nil }
    guard let status = try find(id, in: organisation)?.session.status else {
      return .invalid(
        "relationships.$transcript", code: .invalidValue, "There is no file \(id) to be the transcript.")
    }
    guard status == .completed else {
      return ServiceError(
        .unprocessableContent,
        "The file \(id) is \(status.rawValue); a transcript must be COMPLETED.",
        param: "relationships.$transcript")
    }
    return nil
  }
}

extension ServiceError {
  fileprivate static func noSuchMeeting(_ id: String) -> ServiceError {
    ServiceError(.notFound, "There is no meeting \(id).")
  }
}
