import FileSessions
import Workspace

/// Sends a file in the three steps of the API, and leaves no session open behind.
///
/// A run keeps a record instead; this is for files that a person sends by hand.
struct FileSender: Sendable {
  let service: any FileService
  let retry: Retrier
  let newKey: @Sendable () -> String

  /// How often a session is opened for a file: again where bytes from a broken try, which cannot be replaced,
  /// turned out not to be the file's.
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
    for _ in 1..<Self.mostSessions {
      if let session = try await once(file, as: request) { return session }
    }
    guard let session = try await once(file, as: request) else {
      throw Failure(message: "Other bytes arrived than were sent, each time again; nothing was completed.")
    }
    return session
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

  /// One session from beginning to end; nil when another one is needed.
  private func once(_ file: LocalFile, as request: NewFile) async throws -> FileSession? {
    let key = newKey()
    // An answer that nobody waits for any more would leave a session open that nobody knows of.
    let opened = try await service(shielded: { service throws(ServiceError) in
      try await service.create(request, key: key)
    })
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
      }
      do throws(ServiceError) {
        return try await complete(opened.session.id, md5)
      } catch {
        guard isAmbiguous, error.kind == .unprocessableContent else { throw error }
        try await giveUp(opened.session)
        return nil
      }
    } catch {
      try await giveUp(opened.session, after: error)
      throw error
    }
  }

  /// Completes; when no answer comes, or one that an earlier try explains, the session's status decides.
  private func complete(_ id: String, _ md5: MD5Digest) async throws(ServiceError) -> FileSession {
    let key = newKey()
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

  private func giveUp(_ session: FileSession, after cause: (any Error)? = nil) async throws {
    do throws(ServiceError) {
      _ = try await service(shielded: { service throws(ServiceError) in try await service.cancel(session.id) }
      )
    } catch {
      // Ended by itself meanwhile, or never there: nothing is left open.
      if error.kind == .conflict || error.kind == .notFound { return }
      let reason = cause.map { "\(Self.message($0)) " } ?? ""
      throw Failure(
        message:
          "\(reason)The session \(session.id) could not be cancelled; it may be PENDING until it expires.",
        error: cause as? ServiceError ?? error)
    }
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
