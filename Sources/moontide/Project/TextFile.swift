import Glibc
import Synchronization

/// A file that is read, or written, line by line, with flat memory.
final class TextFile: Sendable {
  private static let pieceSize = 1 << 16

  let path: String
  private let descriptor: Int32
  private let buffer = Mutex<[UInt8]>([])

  /// Makes a file for this user only; one that is there is not replaced.
  init(making path: String) throws(CommandFailure) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if descriptor < 0 {
      throw CommandFailure(.usage, "\(path) cannot be made: \(systemMessage()).")
    }
  }

  init(reading path: String) throws(CommandFailure) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw CommandFailure(.usage, "\(path) cannot be read: \(systemMessage()).") }
  }

  deinit { close(descriptor) }

  /// Adds a line. It may stay in memory until ``finish()``.
  func write(_ line: String) throws(CommandFailure) {
    let full = buffer.withLock { buffer -> [UInt8] in
      buffer += line.utf8
      buffer.append(UInt8(ascii: "\n"))
      return buffer.count < Self.pieceSize ? [] : buffer.taken()
    }
    try StandardStream.write(full, to: descriptor)
  }

  /// Puts what was written on the disk.
  func finish() throws(CommandFailure) {
    try StandardStream.write(buffer.withLock { $0.taken() }, to: descriptor)
    guard fsync(descriptor) == 0 else {
      throw CommandFailure(.usage, "\(path) cannot be written: \(systemMessage()).")
    }
  }

  /// Begins to read at the first line again; false where that cannot be, as in a pipe.
  func rewind() -> Bool {
    buffer.withLock { $0 = [] }
    return lseek(descriptor, 0, SEEK_SET) == 0
  }

  /// The next line; nil at the end.
  func line() throws(CommandFailure) -> String? {
    while true {
      if let line = buffer.withLock({ $0.takeLine() }) { return line }
      var piece = [UInt8](repeating: 0, count: Self.pieceSize)
      let count = read(descriptor, &piece, piece.count)
      guard count >= 0 else { throw CommandFailure(.usage, "\(path) cannot be read: \(systemMessage()).") }
      if count == 0 {
        let rest = buffer.withLock { $0.taken() }
        return rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self)
      }
      buffer.withLock { $0 += piece[..<count] }
    }
  }
}

extension [UInt8] {
  fileprivate mutating func taken() -> [UInt8] {
    defer { self = [] }
    return self
  }

  /// Takes the first line out; nil when there is no whole one.
  fileprivate mutating func takeLine() -> String? {
    guard let end = firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    defer { removeSubrange(...end) }
    return String(decoding: self[..<end], as: UTF8.self)
  }
}
