import FileSessions
import Synchronization

/// A service on the other side of a network, some of whose calls go wrong.
final class FaultyService: FileService {
  enum Call: Hashable {
    case create, upload, complete, cancel, retrieve
  }

  enum Fault: Sendable {
    /// Nothing is done, and this is the answer.
    case refused(ServiceError)
    /// All is done, and this arrives instead of the answer.
    case answered(ServiceError)
    /// Other bytes arrive than were sent, and no answer comes.
    case corrupted
  }

  private struct State {
    var faults: [Call: [Fault?]]
    var keys: [Call: [String?]] = [:]
  }

  static let noAnswer = ServiceError(.unreachable, "no answer")

  private let base: any FileService
  private let state: Mutex<State>

  /// - Parameter faults: what happens to the first calls of a kind; nil to leave one alone.
  init(_ base: any FileService, _ faults: [Call: [Fault?]]) {
    self.base = base
    state = Mutex(State(faults: faults))
  }

  /// The idempotency keys that calls of a kind came with, in order.
  func keys(_ call: Call) -> [String?] { state.withLock { $0.keys[call] ?? [] } }

  private func pass<Value>(
    _ call: Call, key: String? = nil, _ work: () async throws(ServiceError) -> Value
  ) async throws(ServiceError) -> Value {
    let fault = state.withLock { state -> Fault? in
      state.keys[call, default: []].append(key)
      guard var left = state.faults[call], !left.isEmpty else { return nil }
      let next = left.removeFirst()
      state.faults[call] = left
      return next
    }
    switch fault {
    case .refused(let error)?:
      throw error
    case .answered(let error)?:
      _ = try await work()
      throw error
    case .corrupted?:
      throw Self.noAnswer
    case nil:
      return try await work()
    }
  }

  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    try await pass(.create, key: key) { () async throws(ServiceError) in try await base.create(file, key: key)
    }
  }

  func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt {
    if case .corrupted?? = state.withLock({ $0.faults[.upload]?.first }) {
      _ = try await base.upload(opened, BytesInMemory([UInt8](repeating: 0, count: Int(source.length))))
    }
    return try await pass(.upload) { () async throws(ServiceError) in try await base.upload(opened, source) }
  }

  func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession {
    try await pass(.complete, key: key) { () async throws(ServiceError) in
      try await base.complete(id, md5: md5, key: key)
    }
  }

  func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try await pass(.cancel, key: key) { () async throws(ServiceError) in try await base.cancel(id, key: key) }
  }

  func retrieve(_ id: String) async throws(ServiceError) -> FileSession {
    try await pass(.retrieve) { () async throws(ServiceError) in try await base.retrieve(id) }
  }

  func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    try await base.list(limit: limit, offset: offset)
  }

  func url(_ id: String) async throws(ServiceError) -> DownloadURL { try await base.url(id) }

  func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt { try await base.download(id, range: range, receive: receive) }
}
