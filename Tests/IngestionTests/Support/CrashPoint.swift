import FileSessions
import Ingestion
import Synchronization
import Workspace

/// The instant at which a simulated process dies: before or after its n-th call of the service or the ledger.
///
/// From then on every call fails, as nothing that a dead process would still have done may happen.
final class CrashPoint: Sendable {
  private struct State {
    var calls = 0
    var isDead = false
  }

  private let number: Int
  private let after: Bool
  private let state = Mutex(State())

  /// - Parameter after: whether the call that is the last one still takes effect, its answer being lost.
  init(call number: Int, after: Bool) {
    self.number = number
    self.after = after
  }

  /// Whether the process died; false when the run needed fewer calls.
  var wasReached: Bool { state.withLock { $0.isDead } }

  func pass<Value, Failure: Error>(
    dead: Failure, _ call: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let (isDead, isLast) = state.withLock { state in
      state.calls += 1
      let isLast = !state.isDead && state.calls == number
      if isLast { state.isDead = true }
      return (state.isDead, isLast)
    }
    if isDead && !(isLast && after) { throw dead }
    let value = try await call()
    if isLast { throw dead }
    return value
  }
}

struct CrashingService: FileService {
  let base: any FileService
  let point: CrashPoint
  private let dead = ServiceError(.unreachable, "dead")

  init(base: any FileService, point: CrashPoint) {
    self.base = base
    self.point = point
  }

  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    try await point.pass(dead: dead) { () async throws(ServiceError) in try await base.create(file, key: key)
    }
  }

  func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt {
    try await point.pass(dead: dead) { () async throws(ServiceError) in
      try await base.upload(opened, source)
    }
  }

  func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession {
    try await point.pass(dead: dead) { () async throws(ServiceError) in
      try await base.complete(id, md5: md5, key: key)
    }
  }

  func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try await point.pass(dead: dead) { () async throws(ServiceError) in try await base.cancel(id, key: key) }
  }

  func retrieve(_ id: String) async throws(ServiceError) -> FileSession {
    try await point.pass(dead: dead) { () async throws(ServiceError) in try await base.retrieve(id) }
  }

  func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    try await base.list(limit: limit, offset: offset)
  }

  func url(_ id: String) async throws(ServiceError) -> DownloadURL { try await base.url(id) }

  func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt {
    try await base.download(id, range: range, receive: receive)
  }
}

struct CrashingLedger: Ledger {
  let base: any Ledger
  let point: CrashPoint
  private let dead = LedgerError(.unavailable, "dead")

  init(base: any Ledger, point: CrashPoint) {
    self.base = base
    self.point = point
  }

  func record(_ changes: [LedgerChange]) async throws(LedgerError) -> [Job] {
    try await point.pass(dead: dead) { () async throws(LedgerError) in try await base.record(changes) }
  }

  func leave(_ trace: Trace, profile: String) async throws(LedgerError) {
    try await point.pass(dead: dead) { () async throws(LedgerError) in
      try await base.leave(trace, profile: profile)
    }
  }

  func jobs(
    profile: String, recipe: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [ProjectPath: Job] {
    try await base.jobs(profile: profile, recipe: recipe, paths: paths)
  }

  func unfinished(profile: String, recipe: String) async throws(LedgerError) -> [Job] {
    try await base.unfinished(profile: profile, recipe: recipe)
  }

  func sentVersions(of key: JobKey) async throws(LedgerError) -> [SentVersion] {
    try await base.sentVersions(of: key)
  }

  func traces(profile: String, paths: [ProjectPath]) async throws(LedgerError) -> [ProjectPath: Trace] {
    try await base.traces(profile: profile, paths: paths)
  }

  func requests() async throws(LedgerError) -> LedgerRequests { try await base.requests() }

  func settle(request id: Int64) async throws(LedgerError) {
    try await point.pass(dead: dead) { () async throws(LedgerError) in try await base.settle(request: id) }
  }

  func jobs(
    _ selection: JobSelection, after id: Int64, limit: Int
  ) async throws(LedgerError) -> JobPage { try await base.jobs(selection, after: id, limit: limit) }

  func forget(_ keys: [JobKey]) async throws(LedgerError) {
    try await point.pass(dead: dead) { () async throws(LedgerError) in try await base.forget(keys) }
  }
}
