import Digests
import FileSessions
import Synchronization

/// Downloads a file, going on where a broken try ended, and checks that all of it came.
struct FileFetcher: Sendable {
  let service: any FileService
  let retry: Retrier

  /// Hands the bytes to `sink`, in order.
  ///
  /// - Parameter md5: what the bytes have to have; nil where that is not known. A service keeps it to itself.
  /// - Throws: `ServiceError`; `CommandFailure` when other bytes came; what `sink` throws.
  func fetch(
    _ session: FileSession, md5: MD5Digest?, into sink: @escaping @Sendable ([UInt8]) throws -> Void
  ) async throws -> Receipt {
    let intake = Intake(sink)
    do throws(ServiceError) {
      try await retry { () async throws(ServiceError) in
        let begun = intake.count
        if begun > 0, begun >= session.sizeBytes { return }
        _ = try await service.download(session.id, range: begun == 0 ? nil : begun..<session.sizeBytes) {
          bytes in
          try intake.take(bytes)
        }
      }
    } catch {
      throw intake.failure ?? error
    }
    let receipt = intake.finish()
    guard receipt.bytes == session.sizeBytes else {
      throw CommandFailure(
        .filesFailed, "\(receipt.bytes) bytes of \(session.id) came; it has \(session.sizeBytes).")
    }
    if let md5, md5 != receipt.md5 {
      throw CommandFailure(
        .filesFailed, "The bytes of \(session.id) have the md5 \(receipt.md5); they should have \(md5).")
    }
    return receipt
  }
}

/// Counts and digests what comes, over all tries.
private final class Intake: Sendable {
  private struct State: ~Copyable {
    var count: Int64 = 0
    var digest = DigestStream(.md5)
    var failure: (any Error)?
  }

  private let state = Mutex(State())
  private let sink: @Sendable ([UInt8]) throws -> Void

  init(_ sink: @escaping @Sendable ([UInt8]) throws -> Void) {
    self.sink = sink
  }

  /// How many bytes came so far.
  var count: Int64 { state.withLock { $0.count } }

  /// Why the sink took no more.
  var failure: (any Error)? { state.withLock { $0.failure } }

  func take(_ bytes: [UInt8]) throws {
    try Task.checkCancellation()
    do {
      try sink(bytes)
    } catch {
      state.withLock { $0.failure = error }
      throw error
    }
    state.withLock { state in
      state.count += Int64(bytes.count)
      state.digest.update(bytes)
    }
  }

  /// What came in all; the digest begins anew.
  func finish() -> Receipt {
    state.withLock { state in
      var digest = DigestStream(.md5)
      swap(&digest, &state.digest)
      return Receipt(bytes: state.count, md5: MD5Digest(bytes: digest.finalize()))
    }
  }
}
