import Digests
import FileSessions
import NIOCore
import NIOPosix
import Synchronization

/// The bytes of a source on their way out: read and hashed a MiB at a time on a thread that may block, the next
/// while the one before is sent.
struct UploadBody: AsyncSequence, Sendable {
  typealias Element = ByteBuffer

  let reader: UploadReader

  struct AsyncIterator: AsyncIteratorProtocol {
    let reader: UploadReader
    private var rest = ByteBuffer()
    private var ahead: Task<ByteBuffer?, any Error>?

    init(reader: UploadReader) {
      self.reader = reader
    }

    /// The next piece to send, small enough that its leaving is a sign of life on a slow line.
    mutating func next() async throws -> ByteBuffer? {
      if rest.readableBytes == 0 {
        let chunk = try await (ahead ?? reader.readAhead()).value
        guard let chunk else { return nil }
        ahead = reader.readAhead()
        rest = chunk
      }
      let count = try await reader.admitted(Swift.min(rest.readableBytes, UploadBody.pieceSize))
      let piece = rest.readSlice(length: count)
      reader.handedOver(piece?.readableBytes ?? 0)
      return piece
    }
  }

  /// How much is handed to the connection at once.
  static let pieceSize = 256 << 10

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(reader: reader) }
}

/// Reads a source from its first byte to its last, once.
final class UploadReader: Sendable {
  private struct State: ~Copyable {
    var offset: Int64 = 0
    var digest: DigestStream?
    var failure: ServiceError?
  }

  let length: Int64
  private let source: any ByteSource
  private let name: String
  private let state = Mutex(State(digest: DigestStream(.md5)))
  private let sent = Atomic<Int64>(0)
  private let held = Atomic(false)

  /// How much is read at once.
  static let chunkSize = 1 << 20

  /// - Parameter name: what the file is called in errors.
  init(_ source: any ByteSource, name: String) {
    self.source = source
    self.name = name
    length = source.length
  }

  /// How many bytes the connection has asked for so far.
  var bytesSent: Int64 { sent.load(ordering: .relaxed) }

  /// Whether bytes wait until they may leave.
  var isHeld: Bool { held.load(ordering: .relaxed) }

  /// Why the source could not be read, which explains every failure that follows.
  var failure: ServiceError? { state.withLock { $0.failure } }

  /// What was read, once all of it was.
  var receipt: Receipt? {
    state.withLock { state in
      guard state.offset == length, state.failure == nil, let digest = state.digest.take() else { return nil }
      return Receipt(bytes: length, md5: MD5Digest(bytes: digest.finalize()))
    }
  }

  /// How many of the next `count` bytes may leave now; waits until there are some.
  func admitted(_ count: Int) async throws -> Int {
    held.store(true, ordering: .relaxed)
    defer { held.store(false, ordering: .relaxed) }
    return Swift.min(count, Swift.max(1, try await source.admitted(count)))
  }

  func handedOver(_ count: Int) {
    sent.add(Int64(count), ordering: .relaxed)
  }

  /// Begins to read the next chunk; nil follows the last one. One at a time.
  func readAhead() -> Task<ByteBuffer?, any Error> {
    Task { try await NIOThreadPool.singleton.runIfActive { try self.readChunk() } }
  }

  private func readChunk() throws -> ByteBuffer? {
    try state.withLock { state in
      do {
        return try read(&state)
      } catch {
        let reason =
          error as? ServiceError
          ?? ServiceError(.source, "The bytes for \(name) could not be read: \(error).")
        state.failure = reason
        throw reason
      }
    }
  }

  private func read(_ state: inout State) throws -> ByteBuffer? {
    guard state.offset < length else { return nil }
    let wanted = Int(Swift.min(length - state.offset, Int64(Self.chunkSize)))
    var buffer = ByteBufferAllocator().buffer(capacity: wanted)
    while buffer.readableBytes < wanted {
      let offset = state.offset + Int64(buffer.readableBytes)
      let missing = wanted - buffer.readableBytes
      let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: missing) { room in
        try source.read(into: UnsafeMutableRawBufferPointer(rebasing: room[..<missing]), at: offset)
      }
      guard count > 0 else {
        throw ServiceError(
          .source,
          "The bytes for \(name) ended after \(offset) of \(length): the file became shorter while it was read."
        )
      }
    }
    buffer.withUnsafeReadableBytes { state.digest?.update($0) }
    state.offset += Int64(wanted)
    if state.offset == length { try checkEnd() }
    return buffer
  }

  /// Before the last chunk leaves, that nothing follows it.
  private func checkEnd() throws {
    let probe = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
    defer { probe.deallocate() }
    guard try source.read(into: probe, at: length) > 0 else { return }
    throw ServiceError(
      .source, "There are more than \(length) bytes for \(name): the file became longer while it was read.")
  }
}
