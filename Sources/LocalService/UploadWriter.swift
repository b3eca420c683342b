import FileSessions
import Synchronization

/// Receives the bytes of one session: append them in order, then finish or abandon.
///
/// One call at a time. Nothing is left behind unless ``finish()`` returns; a writer that is let go of is
/// abandoned.
package final class UploadWriter: Sendable {
  private enum Progress: ~Copyable {
    /// No byte has come. Goes to `arriving` with the first, or to `over`.
    case waiting
    /// Bytes are being written. Goes to `over`.
    case arriving(IncomingBlob)
    /// Finished, abandoned, or failed.
    case over
  }

  /// The session as it stood when the upload began.
  package let session: FileSession
  private let store: LocalStore
  private let organisation: String?
  private let name: String
  private let progress = Mutex<Progress>(.waiting)

  init(store: LocalStore, session: FileSession, organisation: String?) {
    self.store = store
    self.session = session
    self.organisation = organisation
    name = store.identifiers.blobName()
  }

  /// Adds bytes: gather them to about 1 MiB, each call is a visit to another thread.
  ///
  /// More than the session announced is a 413, and the upload is over.
  package func append(_ bytes: [UInt8]) async throws(ServiceError) {
    try await store.onDisk { try bytes.withUnsafeBytes { try self.write($0) } }
  }

  /// Puts the bytes in their place and tells the session; all of it is on the disk when this returns.
  ///
  /// Fewer bytes than announced are kept too: `complete` refuses them.
  package func finish() async throws(ServiceError) -> Receipt {
    try await record(try await store.onDisk { try self.publish() })
  }

  /// Removes what arrived. Does nothing after ``finish()``.
  package func abandon() async {
    _ = try? await store.onDisk { self.end() }
  }

  /// Appends all of `source` and finishes. A cancelled task stops it between two pieces.
  func send(_ source: any ByteSource) async throws(ServiceError) -> Receipt {
    let length = source.length
    guard length <= session.sizeBytes else { throw tooLarge(length) }
    var offset: Int64 = 0
    while true {
      if Task.isCancelled {
        await abandon()
        throw .cancelled
      }
      let count = try await admitted(Int(min(length - offset, Int64(BlobDirectory.pieceSize))), of: source)
      let start = offset
      // A small file takes one visit to the thread: read, hash, write, flush and rename.
      let step = try await store.onDisk { () throws -> (next: Int64, receipt: Receipt?) in
        do {
          let next = try self.pump(source, count, from: start, of: length)
          return (next, next == length ? try self.publish() : nil)
        } catch {
          self.end()
          throw error
        }
      }
      if let receipt = step.receipt { return try await record(receipt) }
      offset = step.next
    }
  }

  /// How much may be sent now; what keeps it from being known ends the upload.
  private func admitted(_ count: Int, of source: any ByteSource) async throws(ServiceError) -> Int {
    if count == 0 { return 0 }
    do {
      return min(count, max(1, try await source.admitted(count)))
    } catch {
      await abandon()
      throw error as? ServiceError ?? .cancelled
    }
  }

  /// Moves a piece from the source; tells where the next begins.
  private func pump(
    _ source: any ByteSource, _ size: Int, from offset: Int64, of length: Int64
  ) throws -> Int64 {
    if size == 0 { return offset }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
    defer { buffer.deallocate() }
    var filled = 0
    while filled < size {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let count: Int
      do {
        count = try source.read(into: rest, at: offset + Int64(filled))
      } catch let error as ServiceError {
        throw error
      } catch {
        throw ServiceError(.source, "The bytes for \(session.filename) could not be read: \(error).")
      }
      guard count > 0 else {
        throw ServiceError(
          .source,
          "The bytes for \(session.filename) ended after \(offset + Int64(filled)) of \(length): the file became "
            + "shorter while it was read.")
      }
      filled += count
    }
    try write(UnsafeRawBufferPointer(buffer))
    return offset + Int64(size)
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws {
    try advance { blob in
      guard blob.received + Int64(bytes.count) <= self.session.sizeBytes else {
        throw self.tooLarge(blob.received + Int64(bytes.count))
      }
      try blob.append(bytes)
    }
  }

  /// Works on the blob, which is begun when there is none; a failure ends the upload.
  private func advance(_ work: (inout IncomingBlob) throws -> Void) throws {
    try progress.withLock { progress in
      var blob: IncomingBlob
      switch exchange(&progress, with: .over) {
      case .waiting: blob = try store.blobs.receive(name)
      case .arriving(let begun): blob = begun
      case .over: throw Self.isOver(session.id)
      }
      try work(&blob)
      progress = .arriving(blob)
    }
  }

  private func publish() throws -> Receipt {
    try advance { _ in }
    return try progress.withLock { progress in
      switch exchange(&progress, with: .over) {
      case .arriving(let blob): return try blob.publish()
      case .waiting: throw Self.isOver(session.id)
      case .over: throw Self.isOver(session.id)
      }
    }
  }

  private func end() {
    progress.withLock { $0 = .over }
  }

  /// Tells the session of its bytes. Where it cannot take them any more, they go.
  private func record(_ receipt: Receipt) async throws(ServiceError) -> Receipt {
    let (id, organisation, bytes) = (
      session.id, organisation, SessionRecord.Bytes(blob: name, receipt: receipt)
    )
    _ = try await store.change { database, now in
      var outcome = try SessionTable(database).apply(to: id, in: organisation, at: now) {
        record throws(ServiceError) in try record.receiving(bytes)
      }
      if case .failure = outcome.result { outcome.garbage.append(bytes.blob) }
      return outcome
    }
    return receipt
  }

  private func tooLarge(_ count: Int64) -> ServiceError {
    ServiceError(
      .tooLarge,
      "\(session.id) was announced with \(session.sizeBytes) bytes and gets \(count) or more: open a session of "
        + "the right size.")
  }

  private static func isOver(_ id: String) -> ServiceError {
    ServiceError(.conflict, "The upload to \(id) is over: begin another.", shouldRetry: false)
  }
}
