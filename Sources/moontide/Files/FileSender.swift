import FileSessions
import Workspace

/// Sends a file in the three steps of the API, and leaves no session open behind.
///
/// A run's ledger knows more; this is for files that a person sends by hand, and its journal is for the next one to
/// end what this one could not.
struct FileSender: Sendable {
  let service: any FileService
  let retry: Retrier
  let newKey: @Sendable () -> String
  /// Nil where nothing can be noted.
  var journal: UploadJournal?

  /// How often a session is opened for a file.
  private static let mostSessions = 3

  /// Why a file is not sent.
  struct Failure: Error {
    var message: String
    /// What the service said, where it was the service.
    var error: ServiceError?
  }

  /// Opens a session, sends the bytes, and completes it with their md5.
  ///
  /// When that fails, or the task is cancelled, the session is cancelled: what was begun is not left `PENDING`.
  /// - Throws: ``Failure``.
  func send(_ file: LocalFile, as request: NewFile) async throws -> FileSession {
    var reason = ""
    for _ in 0..<Self.mostSessions {
      switch try await once(file, as: request) {
      case .completed(let session): return session
      case .ended(let why): reason = why
      }
    }
    throw Failure(
      message: "\(Self.mostSessions) sessions were opened, and none could be completed. \(reason)")
  }

  /// Sends the bytes of a session that is open, and tells their md5.
  func sendBytes(_ file: LocalFile, of opened: OpenedSession) async throws -> Receipt {
    do throws(ServiceError) {
      let receipt = try await retry { () async throws(ServiceError) in
        try await service.upload(opened, file)
      }
      guard await offload({ file.isUnchanged }) else { throw Self.changed(file) }
      return receipt
    } catch {
      // A service that finds more or fewer bytes than announced is right when the file has changed.
      throw await offload { file.isUnchanged } ? error : Self.changed(file)
    }
  }

  /// How a session ends that did not fail.
  private enum Outcome {
    case completed(FileSession)
    /// It is over, and another one may do better.
    case ended(why: String)
  }

  /// One session from beginning to end.
  private func once(_ file: LocalFile, as request: NewFile) async throws -> Outcome {
    let key = newKey()
    let opened = try await open(request, for: file, key: key)
    do {
      try Task.checkCancellation()
      var isAmbiguous = false
      let md5: MD5Digest
      do {
        md5 = try await sendBytes(file, of: opened).md5
      } catch let error as ServiceError where error.kind == .objectExists {
        // An earlier try may have arrived although its answer did not: the md5 tells.
        isAmbiguous = true
        md5 = try await offload { () throws(WorkspaceError) in try file.md5() }
        guard await offload({ file.isUnchanged }) else { throw Self.changed(file) }
      } catch let error as ServiceError where error.kind == .uploadRefused {
        // The signature of the upload URL ran out before the session did. It is asked for anew, with a new key: the
        // old one would give the old URL.
        try await giveUp(opened.session, key: key)
        return .ended(why: error.description)
      }
      do throws(ServiceError) {
        let session = try await complete(opened.session.id, md5, key: key)
        journal?.ended(key: key)
        return .completed(session)
      } catch {
        // Bytes from a broken try, which cannot be replaced, turned out not to be the file's.
        guard isAmbiguous, error.kind == .unprocessableContent else { throw error }
        try await giveUp(opened.session, key: key)
        return .ended(why: "Other bytes arrived than were sent.")
      }
    } catch let failure as Failure {
      throw failure
    } catch {
      if let error = error as? ServiceError, error.kind == .conflict, await hasExpired(opened.session) {
        journal?.ended(key: key)
        return .ended(why: error.description)
      }
      try await giveUp(opened.session, key: key, after: error)
      throw error
    }
  }

  /// Whether its time passed before it was completed.
  private func hasExpired(_ session: FileSession) async -> Bool {
    let now = try? await retry { () async throws(ServiceError) in try await service.retrieve(session.id) }
    return now?.status == .expired
  }

  /// Opens a session, which is in the journal before.
  private func open(
    _ request: NewFile, for file: LocalFile, key: String
  ) async throws -> OpenedSession {
    if let journal {
      try await offload { () throws(CommandFailure) in try journal.opening(request, of: file.path, key: key) }
    }
    do throws(ServiceError) {
      // An answer that nobody waits for any more would leave a session open that nobody knows of.
      let opened = try await service(shielded: { service throws(ServiceError) in
        try await service.create(request, key: key)
      })
      journal?.opened(opened.session, key: key)
      return opened
    } catch {
      if error.refusesForGood { journal?.ended(key: key) }
      throw error
    }
  }

  /// Completes; when no answer comes, or one that an earlier try explains, the session's status decides.
  private func complete(
    _ id: String, _ md5: MD5Digest, key: String
  ) async throws(ServiceError) -> FileSession {
    let key = key + ".complete"
    do throws(ServiceError) {
      return try await service(shielded: { service throws(ServiceError) in
        try await service.complete(id, md5: md5, key: key)
      })
    } catch {
      let now = try? await service(shielded: { service throws(ServiceError) in try await service.retrieve(id)
      })
      if let now, now.status == .completed { return now }
      throw error
    }
  }

  /// Cancels a session; the journal keeps one that cannot be.
  private func giveUp(_ session: FileSession, key: String, after cause: (any Error)? = nil) async throws {
    do throws(ServiceError) {
      _ = try await service(shielded: { service throws(ServiceError) in
        try await service.cancel(session.id, key: key + ".cancel")
      })
    } catch {
      // Ended by itself meanwhile, or never there: nothing is left open.
      guard error.kind == .conflict || error.kind == .notFound else {
        let reason = cause.map { "\(Self.message($0)) " } ?? ""
        let next =
          journal == nil
          ? "it may be PENDING until it expires" : "it may be PENDING, and the next upload tries again"
        throw Failure(
          message: "\(reason)The session \(session.id) could not be cancelled; \(next).",
          error: cause as? ServiceError ?? error)
      }
    }
    journal?.ended(key: key)
  }

  /// Makes a call, with retries, that goes on when this task is cancelled: what it does has to be known.
  private func service<Value: Sendable>(
    shielded call: @escaping @Sendable (any FileService) async throws(ServiceError) -> Value
  ) async throws(ServiceError) -> Value {
    let (service, retry) = (service, retry)
    let result = await Task {
      do throws(ServiceError) {
        return Result<Value, ServiceError>.success(
          try await retry { () async throws(ServiceError) in try await call(service) })
      } catch {
        return .failure(error)
      }
    }.value
    return try result.get()
  }

  private static func changed(_ file: LocalFile) -> ServiceError {
    ServiceError(.source, "\(file.path) changed while it was sent; nothing was completed. Send it again.")
  }

  private static func message(_ error: any Error) -> String {
    switch error {
    case let error as Failure: error.message
    case let error as ServiceError: error.description
    case let error as WorkspaceError: error.message
    case is CancellationError: "It was interrupted."
    default: "\(error)"
    }
  }
}
