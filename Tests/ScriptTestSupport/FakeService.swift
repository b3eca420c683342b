import FileSessions
import Synchronization

/// A service in memory that does what the contract says as far as these tests go.
package final class FakeService: LightfieldService {
  private struct State {
    var sessions: [FileSession] = []
    var contents: [String: Receipt] = [:]
    var keys: [String] = []
    var uploadError: ServiceError?
    var hold: (@Sendable () async -> Void)?
  }

  private let state = Mutex(State())
  /// The meetings, and what was asked about them.
  package let meetings = Mutex(FakeMeetings())

  package init() {}

  /// The sessions, oldest first.
  package var sessions: [FileSession] { state.withLock { $0.sessions } }
  /// The idempotency keys that sessions were created with.
  package var keys: [String] { state.withLock { $0.keys } }

  /// What uploads wait for from now on.
  package func holdUploads(_ hold: @escaping @Sendable () async -> Void) { state.withLock { $0.hold = hold } }

  /// What the next uploads fail with.
  package func failUploads(_ error: ServiceError?) { state.withLock { $0.uploadError = error } }

  package func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    try FilePolicy.standard.check(file, by: CallerStanding(isAdmin: true, isUser: true))
    return state.withLock { state in
      if let key { state.keys.append(key) }
      let created = Timestamp(milliseconds: 1_775_646_000_000 + Int64(state.sessions.count))
      let session = FileSession(
        id: "fil_\(state.sessions.count + 1)", filename: file.filename, mimeType: file.mimeType,
        sizeBytes: file.sizeBytes, status: .pending, createdAt: created,
        expiresAt: created + .seconds(3600), completedAt: nil)
      state.sessions.append(session)
      return OpenedSession(session: session, target: .local)
    }
  }

  package func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt
  {
    if let error = state.withLock({ $0.uploadError }) { throw error }
    await state.withLock({ $0.hold })?()
    if Task.isCancelled { throw ServiceError(.unreachable, "The call was cancelled.", shouldRetry: false) }
    let receipt = Receipt(bytes: source.length, md5: MD5Digest(bytes: [UInt8](repeating: 7, count: 16)))
    state.withLock { $0.contents[opened.session.id] = receipt }
    return receipt
  }

  package func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession
  {
    try change(id) { (session, content) throws(ServiceError) in
      guard session.status == .pending else {
        throw ServiceError(.conflict, "The session \(id) is not open.")
      }
      guard let content, content.md5 == md5 ?? content.md5 else {
        throw ServiceError(.unprocessableContent, "The bytes are not there.")
      }
      session.status = .completed
      session.expiresAt = nil
      session.completedAt = session.createdAt + .seconds(1)
    }
  }

  package func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try change(id) { (session, _) throws(ServiceError) in
      guard session.status == .pending else {
        throw ServiceError(.conflict, "The session \(id) is not open.")
      }
      session.status = .cancelled
      session.expiresAt = nil
    }
  }

  package func retrieve(_ id: String) async throws(ServiceError) -> FileSession {
    try change(id) { (_, _) throws(ServiceError) in }
  }

  package func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    state.withLock { state in
      let rest = state.sessions.reversed().dropFirst(offset ?? 0).prefix(min(limit ?? 25, 25))
      return FileList(data: Array(rest), totalCount: state.sessions.count)
    }
  }

  package func url(_ id: String) async throws(ServiceError) -> DownloadURL {
    let session = try await retrieve(id)
    guard session.status == .completed else {
      throw ServiceError(.conflict, "The session \(id) is not complete.")
    }
    return DownloadURL(url: "file:///\(id)", expiresAt: session.createdAt + .seconds(60))
  }

  package func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt {
    throw ServiceError(.notFound, "There is no file \(id).")
  }

  private func change(
    _ id: String, _ body: (inout FileSession, Receipt?) throws(ServiceError) -> Void
  ) throws(ServiceError) -> FileSession {
    try state.withLock { state throws(ServiceError) in
      guard let index = state.sessions.firstIndex(where: { $0.id == id }) else {
        throw ServiceError(.notFound, "There is no file \(id).")
      }
      try body(&state.sessions[index], state.contents[id])
      return state.sessions[index]
    }
  }
}
