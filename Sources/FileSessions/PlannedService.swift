import Synchronization

extension FileSession {
  private static let simulatedPrefix = "fil_simulated_"

  /// Whether a dry run opened it, so that no service knows it.
  package var isSimulated: Bool { id.hasPrefix(Self.simulatedPrefix) }

  fileprivate static func simulatedID(_ number: Int) -> String { simulatedPrefix + "\(number)" }
}

/// What a service would answer to somebody who sends files, as far as that can be known without asking one.
///
/// For dry runs. Sessions have ids and filenames that say what they are; what a service alone knows is `notFound`.
package final class PlannedService: LightfieldService {
  /// What stands where a service would put the moment into a filename.
  package static let suffix = "<suffix by the service>"
  /// Sessions that have ended are remembered for scripts that look at them again, but not for ever.
  private static let mostRemembered = 1024

  private struct State {
    var sessions: [String: FileSession] = [:]
    /// Those that have ended, oldest first.
    var ended: [String] = []
    var opened = 0
  }

  private let policy: FilePolicy
  private let clock: WallClock
  private let state = Mutex(State())

  package init(policy: FilePolicy = .standard, clock: WallClock) {
    self.policy = policy
    self.clock = clock
  }

  package func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    try policy.check(file, by: CallerStanding(isAdmin: true, isUser: true))
    let now = clock.now
    let session = state.withLock { state in
      state.opened += 1
      let session = FileSession(
        id: FileSession.simulatedID(state.opened),
        filename: policy.sessionFilename(for: file, suffix: Self.suffix),
        mimeType: file.mimeType, sizeBytes: file.sizeBytes, status: .pending, createdAt: now,
        expiresAt: now + .seconds(policy.sessionLifetime), completedAt: nil)
      state.sessions[session.id] = session
      return session
    }
    return OpenedSession(session: session, target: .local)
  }

  package func upload(
    _ opened: OpenedSession, _ source: any ByteSource
  ) async throws(ServiceError) -> Receipt {
    // One that an earlier run opened is taken for what its record says.
    state.withLock { $0.sessions[opened.session.id] = $0.sessions[opened.session.id] ?? opened.session }
    return Receipt(bytes: source.length, md5: Self.noDigest)
  }

  package func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession
  {
    try end(id, as: .completed)
  }

  package func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try end(id, as: .cancelled)
  }

  package func retrieve(_ id: String) async throws(ServiceError) -> FileSession {
    guard let session = state.withLock({ $0.sessions[id] }) else { throw Self.unknown }
    return session
  }

  private func end(_ id: String, as status: FileStatus) throws(ServiceError) -> FileSession {
    let now = clock.now
    let session = state.withLock { state -> FileSession? in
      guard var session = state.sessions[id] else { return nil }
      guard session.status == .pending else { return session }
      session.status = status
      session.expiresAt = nil
      session.completedAt = status == .completed ? now : nil
      state.sessions[id] = session
      state.ended.append(id)
      if state.ended.count > Self.mostRemembered { state.sessions[state.ended.removeFirst()] = nil }
      return session
    }
    guard let session else { throw Self.unknown }
    guard session.status == status else {
      throw ServiceError(.conflict, "The session \(id) is \(session.status.rawValue) already.")
    }
    return session
  }

  // MARK: - What only a service knows

  private static let unknown = ServiceError(.notFound, "This is a dry run: no service is asked.")

  package func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList { throw Self.unknown }

  package func url(_ id: String) async throws(ServiceError) -> DownloadURL { throw Self.unknown }

  package func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt { throw Self.unknown }

  package func createMeeting(_ meeting: NewMeeting, key: String?) async throws(ServiceError) -> Meeting {
    throw Self.unknown
  }

  package func updateMeeting(
    _ id: String, _ change: MeetingChange, key: String?
  ) async throws(ServiceError) -> Meeting { throw Self.unknown }

  package func retrieveMeeting(_ id: String) async throws(ServiceError) -> Meeting { throw Self.unknown }

  package func listMeetings(limit: Int?, offset: Int?) async throws(ServiceError) -> MeetingList {
    throw Self.unknown
  }

  package func validateAuthorization() async throws(ServiceError) -> Authorization { throw Self.unknown }

  /// What stands for the MD5 of bytes that are not read.
  private static let noDigest = MD5Digest(bytes: [UInt8](repeating: 0, count: 16))
}
