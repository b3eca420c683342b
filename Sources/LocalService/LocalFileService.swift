import FileSessions
import FoundationEssentials

/// The file API in this process, as one caller sees it.
///
/// Where the contract leaves something open, this is what happens here: a session is expired from the millisecond
/// of its `expiresAt` on; an idempotency key that comes with another request is a 400 `idempotency_key_reused`;
/// ``url(_:)`` gives a `file://` URL.
package struct LocalFileService: FileService {
  let store: LocalStore
  /// Who calls.
  package let caller: Caller

  package func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    try caller.require(.filesCreate)
    try store.policy.check(file, by: caller.standing)
    let (policy, identifiers, organisation) = (store.policy, store.identifiers, caller.organisation)
    let session = try await answer("files.create", key: key, request: file) { table, now in
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
    return try await answer("files.complete", key: key, request: [id, md5?.hex]) { table, now in
      try table.apply(to: id, in: organisation, at: now) { record throws(ServiceError) in
        try record.completing(md5: md5, at: now)
      }.session
    }
  }

  package func cancel(_ id: String) async throws(ServiceError) -> FileSession {
    try await cancel(id, key: nil)
  }

  /// Gives up a session that is `PENDING`; what arrived of its bytes is removed.
  ///
  /// - Parameter key: an idempotency key, as any POST may carry one.
  package func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try caller.require(.filesCreate)
    let organisation = caller.organisation
    return try await answer("files.cancel", key: key, request: [id]) { table, now in
      try table.apply(to: id, in: organisation, at: now) { record throws(ServiceError) in
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
    let limit = limit ?? FileServiceLimits.pageSize
    let offset = offset ?? 0
    guard limit >= 1 else {
      throw .invalid("limit", code: .invalidValue, "The limit is \(limit); it must be 1 or more.")
    }
    guard offset >= 0 else {
      throw .invalid("offset", code: .invalidValue, "The offset is \(offset); it must be 0 or more.")
    }
    let (organisation, now) = (caller.organisation, store.clock.now)
    if try await store.read({ try SessionTable($0).hasDue(at: now) }) { try await store.settle() }
    return try await store.read { database in
      let table = SessionTable(database)
      let page = try table.page(
        of: organisation, limit: min(limit, FileServiceLimits.pageSize), offset: offset)
      return FileList(data: page.map(\.session), totalCount: try table.count(of: organisation))
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
