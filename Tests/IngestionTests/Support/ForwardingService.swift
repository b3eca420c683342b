import FileSessions

/// A service that passes each call on, but for those that it does itself.
protocol ForwardingService: FileService {
  var base: any FileService { get }
}

extension ForwardingService {
  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    try await base.create(file, key: key)
  }
  func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt {
    try await base.upload(opened, source)
  }
  func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession {
    try await base.complete(id, md5: md5, key: key)
  }
  func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try await base.cancel(id, key: key)
  }
  func retrieve(_ id: String) async throws(ServiceError) -> FileSession { try await base.retrieve(id) }
  func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    try await base.list(limit: limit, offset: offset)
  }
  func url(_ id: String) async throws(ServiceError) -> DownloadURL { try await base.url(id) }
  func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt { try await base.download(id, range: range, receive: receive) }
}
