import FileSessions
import Ingestion
import SQLiteLedger
import Synchronization
import Testing
import Workspace

@Suite("Sessions, and what the line can finish in their life")
struct SessionLifeTests {
  private static let hour = Duration.seconds(3600)

  @Test("8 files of 512 MiB at 512 KiB/s against sessions of an hour all arrive, each with one session")
  func arrives() async throws {
    let (summary, service, clock) = try await send(looksAhead: true)
    #expect(summary.sent == 8 && summary.failed == 0, "\(summary)")
    #expect(service.expired == 0 && service.opened == 8)
    // Nothing is sent twice: it takes as long as the bytes do.
    let seconds = (clock.now - Self.start).inSeconds
    #expect((8190...8400).contains(seconds), "\(seconds)")
  }

  @Test("without looking ahead they expire, again and again")
  func expires() async throws {
    let (summary, service, _) = try await send(looksAhead: false)
    #expect(summary.failed > 0 && service.expired >= 8, "\(summary), \(service.expired)")
  }

  @Test("the rate is measured where no limit is set, and no more is opened than it allows")
  func measured() async throws {
    let (summary, service, _) = try await send(looksAhead: true, limit: nil)
    #expect(summary.sent == 8 && service.expired == 0 && service.opened == 8, "\(summary)")
  }

  @Test("a file that takes longer than its session lives is begun all the same, and that is said")
  func tooLarge() async throws {
    let project = try TemporaryProject()
    try project.write("", to: "a.bin")
    try project.grow("a.bin", to: 512 << 20)
    let notes = Mutex<[String]>([])
    let (summary, service, _) = try await send(project, looksAhead: true, limit: "100K") { event in
      if case .noted(_, let what) = event { notes.withLock { $0.append(what) } }
    }
    #expect(summary.sent == 0 && service.expired > 0)
    #expect(
      notes.withLock { $0.first }?.contains("takes 87 minutes at the present rate, and its session lives 60")
        == true)
  }

  private static let start = Timestamp(milliseconds: 2_000_000_000_000)

  private func send(
    _ given: TemporaryProject? = nil, looksAhead: Bool, limit: String? = "512K",
    report: @escaping @Sendable (RunEvent) -> Void = { _ in }
  ) async throws -> (RunSummary, SlowLine, VirtualClock) {
    let project = try given ?? TemporaryProject()
    if given == nil {
      for number in 1...8 {
        try project.write("", to: "\(number).bin")
        try project.grow("\(number).bin", to: 512 << 20)
      }
    }
    let clock = VirtualClock(now: Self.start, runsByItself: true)
    let transfers = Transfers()
    let line = Throttle(try BandwidthTimetable(limit ?? "512K"), clock: clock.wall, zone: .gmt) { time in
      await transfers.areWaiting()
      try await clock.sleep(time)
    }
    // Where no limit is asked for, it is the line itself that is slow.
    let service = SlowLine(
      clock: clock, lifetime: Self.hour, line: limit == nil ? line : nil, transfers: transfers)
    var terms = Gate.Terms()
    terms.throttle = limit == nil ? nil : line
    terms.clock = looksAhead ? clock.wall : nil
    let rig = try await Rig(project, clock: clock.wall)
    let ledger = try SQLiteLedger(directory: project.state, clock: clock.wall)
    let engine = rig.engine(
      try SwiftRecipe(include: ["*.bin"]), service: service, ledger: ledger,
      seat: Gate(places: 8, terms: terms).join("test"), report: report)
    return (await engine.run(), service, clock)
  }
}

/// The transfers that do something other than wait for the line.
///
/// Meanwhile the simulated time stands still: else a slow machine would let sessions expire.
private final class Transfers: Sendable {
  private struct State {
    var busy: Set<String> = []
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func begin(_ id: String) {
    state.withLock { _ = $0.busy.insert(id) }
  }

  func end(_ id: String) {
    let waiting = state.withLock { state in
      state.busy.remove(id)
      guard state.busy.isEmpty else { return [CheckedContinuation<Void, Never>]() }
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Waits until all wait for the line.
  func areWaiting() async {
    await withCheckedContinuation { continuation in
      let isQuiet = state.withLock { state in
        if !state.busy.isEmpty { state.waiting.append(continuation) }
        return state.busy.isEmpty
      }
      if isQuiet { continuation.resume() }
    }
  }
}

/// A service whose sessions expire by a simulated clock, and that only looks at how much is sent, not at what.
private final class SlowLine: FileService {
  private struct State {
    var sessions: [String: FileSession] = [:]
    var expired: Set<String> = []
  }

  private let clock: VirtualClock
  private let lifetime: Duration
  private let line: Throttle?
  private let transfers: Transfers
  private let state = Mutex(State())

  init(clock: VirtualClock, lifetime: Duration, line: Throttle?, transfers: Transfers) {
    self.clock = clock
    self.lifetime = lifetime
    self.line = line
    self.transfers = transfers
  }

  var opened: Int { state.withLock { $0.sessions.count } }
  /// How many sessions ended before their bytes had come.
  var expired: Int { state.withLock { $0.expired.count } }

  private func session(_ id: String) throws(ServiceError) -> FileSession {
    let now = clock.now
    let session = state.withLock { state -> FileSession? in
      guard var session = state.sessions[id] else { return nil }
      if session.status == .pending, let expiry = session.expiresAt, expiry <= now {
        session.status = .expired
        session.expiresAt = nil
        state.expired.insert(id)
        state.sessions[id] = session
      }
      return session
    }
    guard let session else { throw ServiceError(.notFound, "There is no session \(id).") }
    return session
  }

  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    let now = clock.now
    return state.withLock { state in
      let session = FileSession(
        id: "fil_\(state.sessions.count)", filename: file.filename, mimeType: file.mimeType,
        sizeBytes: file.sizeBytes, status: .pending, createdAt: now, expiresAt: now + lifetime,
        completedAt: nil)
      state.sessions[session.id] = session
      transfers.begin(session.id)
      return OpenedSession(session: session, target: .local)
    }
  }

  func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt {
    let last = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
    defer { last.deallocate() }
    var offset: Int64 = 0
    let id = opened.session.id
    do {
      while offset < source.length {
        let wanted = Int(min(source.length - offset, 1 << 20))
        transfers.end(id)
        let count = try await source.admitted(try await line?.admit(wanted) ?? wanted)
        transfers.begin(id)
        offset += Int64(count)
        // Tells the source how far it was read.
        _ = try source.read(into: last, at: offset - 1)
        guard try session(id).status == .pending else {
          throw ServiceError(.conflict, "The session has expired.")
        }
      }
    } catch {
      transfers.end(id)
      throw error as? ServiceError ?? .cancelled
    }
    return Receipt(bytes: offset, md5: MD5Digest(of: []))
  }

  func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession {
    try end(id, as: .completed)
  }

  func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try end(id, as: .cancelled)
  }

  private func end(_ id: String, as status: FileStatus) throws(ServiceError) -> FileSession {
    transfers.end(id)
    var session = try session(id)
    guard session.status == .pending else {
      throw ServiceError(.conflict, "The session is \(session.status.rawValue).")
    }
    session.status = status
    session.expiresAt = nil
    let ended = session
    state.withLock { $0.sessions[id] = ended }
    return ended
  }

  func retrieve(_ id: String) async throws(ServiceError) -> FileSession { try session(id) }
  func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    FileList(data: [], totalCount: 0)
  }
  func url(_ id: String) async throws(ServiceError) -> DownloadURL { throw ServiceError(.notFound, "none") }
  func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt { throw ServiceError(.notFound, "none") }
}
