import FileSessions

/// A service with an instant before and after each call, and in the middle of an upload.
struct CrashingService: FileService {
  let base: any FileService
  let points: CrashPoints
  /// Is told the name of a file whose bytes begin to be read.
  let reads: @Sendable (String) -> Void

  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    try await points.around("create") { () async throws(ServiceError) in
      try await base.create(file, key: key)
    }
  }

  func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt {
    let source = CrashingSource(base: source, points: points) { reads(opened.session.filename) }
    return try await points.around("upload") { () async throws(ServiceError) in
      try await base.upload(opened, source)
    }
  }

  func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession {
    try await points.around("complete") { () async throws(ServiceError) in
      try await base.complete(id, md5: md5, key: key)
    }
  }

  func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try await points.around("cancel") { () async throws(ServiceError) in
      try await base.cancel(id, key: key)
    }
  }

  func retrieve(_ id: String) async throws(ServiceError) -> FileSession {
    try await points.around("retrieve") { () async throws(ServiceError) in try await base.retrieve(id) }
  }

  func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    try await base.list(limit: limit, offset: offset)
  }

  func url(_ id: String) async throws(ServiceError) -> DownloadURL { try await base.url(id) }

  func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt { try await base.download(id, range: range, receive: receive) }
}

/// Bytes with an instant after each piece that was read of them.
private struct CrashingSource: ByteSource {
  let base: any ByteSource
  let points: CrashPoints
  let begins: @Sendable () -> Void

  var length: Int64 { base.length }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
    let count = try base.read(into: buffer, at: offset)
    if offset == 0 { begins() }
    if count > 0 { points.pass("amid upload") }
    return count
  }
}
