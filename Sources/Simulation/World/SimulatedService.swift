import Digests
import FileSessions
import Synchronization

/// The file API in memory: sessions that expire, keys that are remembered for a day, uploads that never overwrite.
///
/// A second telling of the contract, independent of the local service, short enough to be checked by reading.
package final class SimulatedService: FileService {
  /// What is known of a session, and the bytes that arrived for it.
  package struct Entry: Sendable {
    package var session: FileSession
    package var bytes: [UInt8]?
    /// What it was opened with.
    package let request: NewFile
    fileprivate let signedUntil: Timestamp

    fileprivate var isKnowledge: Bool {
      request.purpose == .knowledgeUser || request.purpose == .knowledgeWorkspace
    }
  }

  private struct State {
    var entries: [Entry] = []
    var answers: [String: (at: Timestamp, opened: OpenedSession)] = [:]
    var counter = 0
  }

  /// How long a session is open, and how long its upload URL is signed for.
  package static let lifetime = Duration.seconds(3600)
  package static let signature = Duration.seconds(900)

  private let clock: WallClock
  private let state = Mutex(State())

  package init(clock: WallClock) {
    self.clock = clock
  }

  /// All sessions as they stand now, oldest first.
  package var entries: [Entry] { withState { state, _ in state.entries } }

  private func withState<Value, Failure: Error>(
    _ body: (inout State, Timestamp) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try state.withLock { (state) throws(Failure) in
      let now = clock.now
      for index in state.entries.indices where state.entries[index].session.status == .pending {
        guard let expiry = state.entries[index].session.expiresAt, expiry <= now else { continue }
        state.entries[index].session.status = .expired
        state.entries[index].session.expiresAt = nil
      }
      return try body(&state, now)
    }
  }

  package func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    withState { state, now in
      if let key, let known = state.answers[key], known.at + FileServiceLimits.idempotencyMemory > now {
        return known.opened
      }
      state.counter += 1
      let session = FileSession(
        id: "fil_\(state.counter)", filename: file.filename, mimeType: file.mimeType,
        sizeBytes: file.sizeBytes, status: .pending, createdAt: now, expiresAt: now + Self.lifetime,
        completedAt: nil)
      let opened = OpenedSession(session: session, target: .local)
      state.entries.append(
        Entry(session: session, request: file, signedUntil: now + Self.signature))
      if let key { state.answers[key] = (now, opened) }
      return opened
    }
  }

  package func upload(
    _ opened: OpenedSession, _ source: any ByteSource
  ) async throws(ServiceError) -> Receipt {
    var bytes = [UInt8](repeating: 0, count: Int(source.length))
    let count: Int
    do {
      count = try bytes.withUnsafeMutableBytes { try source.read(into: $0, at: 0) }
    } catch {
      throw ServiceError(.source, "\(error)")
    }
    bytes.removeSubrange(count...)
    try withState { (state, now) throws(ServiceError) in
      let index = try Self.index(of: opened.session.id, in: state)
      guard state.entries[index].session.status == .pending else {
        throw ServiceError(.conflict, "The session is \(state.entries[index].session.status.rawValue).")
      }
      guard now < state.entries[index].signedUntil else {
        throw ServiceError(.uploadRefused, "The signature has run out.")
      }
      if state.entries[index].isKnowledge, state.entries[index].bytes != nil {
        throw ServiceError(.objectExists, "There is an object already.")
      }
      state.entries[index].bytes = bytes
    }
    return Receipt(bytes: Int64(bytes.count), md5: MD5Digest(of: bytes))
  }

  package func complete(
    _ id: String, md5: MD5Digest?, key: String?
  ) async throws(ServiceError) -> FileSession {
    try finish(id, key: key) { (entry, now) throws(ServiceError) in
      guard let bytes = entry.bytes, Int64(bytes.count) == entry.session.sizeBytes,
        md5.map({ $0 == MD5Digest(of: bytes) }) ?? true
      else { throw ServiceError(.unprocessableContent, "The bytes are not those that were announced.") }
      entry.session.status = .completed
      entry.session.completedAt = now
    }
  }

  package func cancel(_ id: String) async throws(ServiceError) -> FileSession {
    try await cancel(id, key: nil)
  }

  package func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try finish(id, key: key) { (entry, _) throws(ServiceError) in entry.session.status = .cancelled }
  }

  /// Ends a session that is `PENDING`; a repeat under the same key gets the same answer.
  private func finish(
    _ id: String, key: String?, _ end: (inout Entry, Timestamp) throws(ServiceError) -> Void
  ) throws(ServiceError) -> FileSession {
    try withState { (state, now) throws(ServiceError) in
      if let key, let known = state.answers[key], known.at + FileServiceLimits.idempotencyMemory > now {
        return known.opened.session
      }
      let index = try Self.index(of: id, in: state)
      guard state.entries[index].session.status == .pending else {
        throw ServiceError(.conflict, "The session is \(state.entries[index].session.status.rawValue).")
      }
      try end(&state.entries[index], now)
      state.entries[index].session.expiresAt = nil
      let session = state.entries[index].session
      if let key { state.answers[key] = (now, OpenedSession(session: session, target: .local)) }
      return session
    }
  }

  package func retrieve(_ id: String) async throws(ServiceError) -> FileSession {
    try withState { (state, _) throws(ServiceError) in
      state.entries[try Self.index(of: id, in: state)].session
    }
  }

  package func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    withState { state, _ in
      let page = state.entries.reversed().dropFirst(offset ?? 0).prefix(limit ?? FileServiceLimits.pageSize)
      return FileList(data: page.map(\.session), totalCount: state.entries.count)
    }
  }

  package func url(_ id: String) async throws(ServiceError) -> DownloadURL {
    throw ServiceError(.notFound, "Nothing is downloaded from a simulated service.")
  }

  package func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt {
    throw ServiceError(.notFound, "Nothing is downloaded from a simulated service.")
  }

  private static func index(of id: String, in state: State) throws(ServiceError) -> Int {
    guard let index = state.entries.firstIndex(where: { $0.session.id == id }) else {
      throw ServiceError(.notFound, "There is no session \(id).")
    }
    return index
  }
}

extension MD5Digest {
  package init(of bytes: [UInt8]) {
    var stream = DigestStream(.md5)
    stream.update(bytes)
    self.init(bytes: stream.finalize())
  }
}
