/// Bytes of a known length that can be read from the start as often as a send has to be repeated.
///
/// Reading is positional, so that a source has no state of its own: it may be read again, and by several
/// readers.
package protocol ByteSource: Sendable {
  /// The length in bytes.
  var length: Int64 { get }

  /// Fills `buffer` from `offset` on and tells how many bytes it placed; 0 at the end.
  ///
  /// Blocks: call it on a thread that may.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int

  /// How many of the next `count` bytes may be sent now, 1 at the least; waits until there are some.
  ///
  /// Whoever sends asks before each piece. Throws when the task is cancelled.
  func admitted(_ count: Int) async throws -> Int
}

extension ByteSource {
  package func admitted(_ count: Int) async throws -> Int { count }
}

/// Bytes that are already in memory.
package struct BytesInMemory: ByteSource {
  private let bytes: [UInt8]

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  package var length: Int64 { Int64(bytes.count) }

  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
    let start = Int(clamping: offset)
    guard start < bytes.count else { return 0 }
    let part = bytes[start..<min(bytes.count, start + buffer.count)]
    buffer.copyBytes(from: part)
    return part.count
  }
}

/// What a transfer of bytes amounted to.
package struct Receipt: Hashable, Sendable {
  /// How many bytes were moved.
  package var bytes: Int64
  /// The MD5 of exactly those bytes, computed while they were read.
  package var md5: MD5Digest

  package init(bytes: Int64, md5: MD5Digest) {
    self.bytes = bytes
    self.md5 = md5
  }
}
