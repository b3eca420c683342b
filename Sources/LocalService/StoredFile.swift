import Digests
import FileSessions
import Synchronization

/// A completed file, opened for reading any part of it. Closed when nobody holds it.
package final class StoredFile: Sendable {
  /// The session as it stood at opening.
  package let session: FileSession
  /// The length in bytes.
  package let length: Int64
  /// The digest of the bytes, as they were received.
  package let md5: MD5Digest
  private let store: LocalStore
  private let file: Descriptor

  init(session: FileSession, bytes: SessionRecord.Bytes, store: LocalStore) async throws(ServiceError) {
    self.session = session
    self.store = store
    length = bytes.receipt.bytes
    md5 = bytes.receipt.md5
    let opening = try await store.onDisk { () throws -> Opening in
      do {
        let file = try store.blobs.open(bytes.blob)
        let found = try file.length()
        guard found == bytes.receipt.bytes else {
          throw ServiceError.damagedBytes(
            session.id, "\(found) are there, \(bytes.receipt.bytes) were received")
        }
        return Opening(file)
      } catch let error as SystemError where error.isMissing {
        throw ServiceError.damagedBytes(session.id, "the file that holds them is gone")
      }
    }
    guard let file = opening.take() else { throw .damagedBytes(session.id, "they could not be opened") }
    self.file = file
  }

  /// The bytes from `offset` on: `count` of them, or fewer where the file ends.
  package func read(at offset: Int64, count: Int) async throws(ServiceError) -> [UInt8] {
    try await read(at: offset, count: count, into: nil)
  }

  func read(at offset: Int64, count: Int, into digest: RunningDigest?) async throws(ServiceError) -> [UInt8] {
    let wanted = Int(max(0, min(Int64(count), length - offset)))
    return try await store.onDisk {
      let bytes = try [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
        filled = try self.file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
      }
      guard bytes.count == wanted else {
        throw ServiceError.damagedBytes(self.session.id, "they end early")
      }
      digest?.update(bytes)
      return bytes
    }
  }
}

/// Hands an open file from one thread to another.
private final class Opening: Sendable {
  private let file: Mutex<Descriptor?>

  init(_ file: consuming Descriptor) {
    self.file = Mutex(file)
  }

  func take() -> Descriptor? {
    file.withLock { $0.take() }
  }
}

/// An MD5 that jobs on different threads feed one after the other.
final class RunningDigest: Sendable {
  private let digest = Mutex<DigestStream?>(DigestStream(.md5))

  func update(_ bytes: [UInt8]) {
    digest.withLock { $0?.update(bytes) }
  }

  /// The digest of all bytes so far; ends it.
  func finish() -> MD5Digest {
    let digest = digest.withLock { $0.take() } ?? DigestStream(.md5)
    return MD5Digest(bytes: digest.finalize())
  }
}

extension ServiceError {
  /// Bytes that were received and are not there as they were.
  static func damagedBytes(_ id: String, _ detail: String) -> ServiceError {
    ServiceError(
      .internalServerError,
      "The bytes of \(id) in the local service are damaged: \(detail). Restore them from a backup.",
      shouldRetry: false)
  }
}
