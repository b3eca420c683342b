import FileSessions

/// A service on the other side of a network, some of whose calls go wrong.
package struct UnreliableService: FileService {
  private let base: any FileService
  private let fate: Fate

  package init(_ base: any FileService, fate: @escaping Fate) {
    self.base = base
    self.fate = fate
  }

  private func pass<Value>(
    _ call: Call, corrupted: () async throws(ServiceError) -> Void = { () async throws(ServiceError) in },
    _ work: () async throws(ServiceError) -> Value
  ) async throws(ServiceError) -> Value {
    switch fate(call) {
    case .refused(let error)?:
      throw error
    case .lost(let error)?:
      _ = try await work()
      throw error
    case .corrupted?:
      try await corrupted()
      throw Fault.noAnswer
    case .dying?:
      _ = try await work()
      throw Fault.noAnswer
    case .dead?, .full?:
      throw Fault.noAnswer
    case nil:
      return try await work()
    }
  }

  package func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    try await pass(.create) { () async throws(ServiceError) in try await base.create(file, key: key) }
  }

  package func upload(
    _ opened: OpenedSession, _ source: any ByteSource
  ) async throws(ServiceError) -> Receipt {
    try await pass(.upload) { () async throws(ServiceError) in
      _ = try await base.upload(opened, BytesInMemory([UInt8](repeating: 0, count: Int(source.length))))
    } _: { () async throws(ServiceError) in
      try await base.upload(opened, source)
    }
  }

  package func complete(
    _ id: String, md5: MD5Digest?, key: String?
  ) async throws(ServiceError) -> FileSession {
    try await pass(.complete) { () async throws(ServiceError) in
      try await base.complete(id, md5: md5, key: key)
    }
  }

  package func cancel(_ id: String) async throws(ServiceError) -> FileSession {
    try await cancel(id, key: nil)
  }

  package func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try await pass(.cancel) { () async throws(ServiceError) in try await base.cancel(id, key: key) }
  }

  package func retrieve(_ id: String) async throws(ServiceError) -> FileSession {
    try await pass(.retrieve) { () async throws(ServiceError) in try await base.retrieve(id) }
  }

  package func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    try await base.list(limit: limit, offset: offset)
  }

  package func url(_ id: String) async throws(ServiceError) -> DownloadURL { try await base.url(id) }

  package func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt {
    try await base.download(id, range: range, receive: receive)
  }
}
