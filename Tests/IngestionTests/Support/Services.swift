import FileSessions
import Foundation
import Synchronization

/// A number of times that something may happen.
final class CallsLeft: Sendable {
  private let count: Mutex<Int>

  init(_ count: Int) { self.count = Mutex(count) }

  var left: Int { count.withLock { $0 } }

  func take() -> Bool {
    count.withLock { count in
      count -= 1
      return count >= 0
    }
  }
}

/// A source that has something happen at the moment when it is read.
private struct MeddledSource: ByteSource {
  let base: any ByteSource
  let meddle: @Sendable () -> Void

  var length: Int64 { base.length }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
    let count = try base.read(into: buffer, at: offset)
    if offset == 0 { meddle() }
    return count
  }
}

/// A service during whose uploads something happens to the file.
struct MeddlingService: ForwardingService {
  let base: any FileService
  let meddle: @Sendable () -> Void

  func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt {
    try await base.upload(opened, MeddledSource(base: source, meddle: meddle))
  }
}

/// A service that answers everything with one error.
struct OutService: ForwardingService {
  let base: any FileService
  let error: ServiceError

  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession { throw error }
  func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt {
    throw error
  }
  func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession {
    throw error
  }
  func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession { throw error }
  func retrieve(_ id: String) async throws(ServiceError) -> FileSession { throw error }
  func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList { throw error }
  func url(_ id: String) async throws(ServiceError) -> DownloadURL { throw error }
  func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt { throw error }
}

extension TemporaryProject {
  /// Makes a file so long, with a hole for its content.
  func grow(_ path: String, to size: Int) throws {
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: root + "/" + path))
    try handle.truncate(atOffset: UInt64(size))
    try handle.close()
  }
}
