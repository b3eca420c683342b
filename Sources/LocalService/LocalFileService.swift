import FileSessions
import FoundationEssentials

/// The API in this process, as one caller sees it: files here, meetings and authorization in extensions.
///
/// Where the contract leaves something open, this is what happens here: a session is expired from the millisecond
/// of its `expiresAt` on; an idempotency key that comes with another request is a 400 `idempotency_key_reused`;
/// ``url(_:)`` gives a `file://` URL.
package struct LocalFileService: LightfieldService {
  let store: LocalStore
  /// Who calls.
  package let caller: Caller

  package func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    try caller.require(.filesCreate)
    try store.policy.check(file, by: caller.standing)
    let (policy, identifiers, organisation) = (store.policy, store.identifiers, caller.organisation)
    let session = try await answer("files.create", key: key, request: file) { database, now in
      let table = SessionTable(database)
      let refusesOverwrite = policy.refusesOverwrite(file.purpose)
      let session = FileSession(
        id: identifiers.identifier("fil_"),
        filename: try table.freeFilename(for: file, in: organisation, policy: policy, at: now),
        mimeType: file.mimeType, sizeBytes: file.sizeBytes, status: .pending, createdAt: now,
        expiresAt: now + .seconds(policy.sessionLifetime), completedAt: nil)
      try table.insert(
        SessionRecord(session: session, refusesOverwrite: refusesOverwrite, bytes: nil), in: organisation)
      return Outcome(result: .success(session))
    }
    return OpenedSession(session: session, target: .local)
  }

  package func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession
  {
    try caller.require(.filesCreate)
    let organisation = caller.organisation
    return try await answer("files.complete", key: key, request: [id, md5?.hex]) { database, now in
      try SessionTable(database).apply(to: id, in: organisation, at: now) { record throws(ServiceError) in
        try record.completing(md5: md5, at: now)
      }.session
    }
  }

  /// Gives up a session that is `PENDING`; what arrived of its bytes is removed.
  package func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try caller.require(.filesCreate)
    let organisation = caller.organisation
    return try await answer("files.cancel", key: key, request: [id]) { database, now in
      try SessionTable(database).apply(to: id, in: organisation, at: now) { record throws(ServiceError) in
        try record.cancelling()
      }.session
    }
  }

  package func retrieve(_ id: String) async throws(ServiceError) -> FileSession {
    try caller.require(.filesRead)
    return try await store.record(id, in: caller.organisation).session
  }

  package func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    try caller.require(.filesRead)
    let page = try Page(limit: limit, offset: offset)
    let (organisation, now) = (caller.organisation, store.clock.now)
    if try await store.read({ try SessionTable($0).hasDue(at: now) }) { try await store.settle() }
    return try await store.read { database in
      let table = SessionTable(database)
      return FileList(
        data: try table.page(page, of: organisation).map(\.session),
        totalCount: try table.count(of: organisation))
    }
  }
}

extension SessionTable {
  /// The name that a new session gets. Two knowledge files of one organisation never share one: the moment in
  /// the name moves on by a millisecond as often as needed.
  fileprivate func freeFilename(
    for file: NewFile, in organisation: String, policy: FilePolicy, at now: Timestamp
  ) throws -> String {
    guard policy.refusesOverwrite(file.purpose) else { return policy.sessionFilename(for: file, at: now) }
    var moment = now
    while true {
      let name = policy.sessionFilename(for: file, at: moment)
      if try !hasKnowledge(named: name, in: organisation) { return name }
      moment.milliseconds += 1
    }
  }
}

extension Outcome<SessionRecord> {
  /// The same outcome, of the session that the API shows.
  fileprivate var session: Outcome<FileSession> {
    Outcome<FileSession>(result: result.map(\.session), garbage: garbage)
  }
}
