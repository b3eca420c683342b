import Glibc

/// A regular file, open for reading until its last owner lets go of it.
///
/// Reading is positional, so several threads may read at once. A stamp taken before and one taken
/// after on the same file tell whether it changed meanwhile.
package final class OpenFile: Sendable {
  /// Where the file really was when it was opened: links inside the project are resolved.
  package let path: ProjectPath

  private enum Content {
    case descriptor(Descriptor)
    /// Of a file that is in an overlay, and not on the disk.
    case bytes([UInt8])
  }

  private let content: Content
  /// The stamp that an overlay gave it; nil where the disk tells.
  private let givenStamp: FileStamp?

  init(_ descriptor: Descriptor, path: ProjectPath) {
    content = .descriptor(descriptor)
    givenStamp = nil
    self.path = path
  }

  /// A file that is in memory only.
  init(_ bytes: [UInt8], path: ProjectPath, stamp: FileStamp) {
    content = .bytes(bytes)
    givenStamp = stamp
    self.path = path
  }

  /// A file of the disk under another path.
  init(_ file: OpenFile, path: ProjectPath, stamp: FileStamp) {
    content = file.content
    givenStamp = stamp
    self.path = path
  }

  /// Size, time of modification and inode, now, of the open file.
  package func stamp() throws(WorkspaceError) -> FileStamp {
    if let givenStamp { return givenStamp }
    return FileStamp(try status())
  }

  /// Reads a byte, where there is one: throws where nothing can be read, although it could be opened.
  package func probe() throws(WorkspaceError) {
    var byte: UInt8 = 0
    var failure: WorkspaceError?
    withUnsafeMutableBytes(of: &byte) { buffer in
      do throws(WorkspaceError) { _ = try read(into: buffer, at: 0) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Fills the buffer from `offset` on; less than it holds means the end of the file.
  ///
  /// - Returns: the bytes read.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(WorkspaceError) -> Int {
    let descriptor: Descriptor
    switch content {
    case .descriptor(let open): descriptor = open
    case .bytes(let bytes):
      let rest = bytes.dropFirst(Int(clamping: offset)).prefix(buffer.count)
      buffer.copyBytes(from: rest)
      return rest.count
    }
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let count: Int
      do {
        count = try SystemCalls.check {
          pread(descriptor.number, rest.baseAddress, rest.count, off_t(offset) + off_t(filled))
        }
      } catch {
        throw WorkspaceError(error, path: path.string, cannot: "read")
      }
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  /// At most `count` bytes from `offset` on; fewer only at the end of the file.
  package func read(count: Int, at offset: Int64 = 0) throws(WorkspaceError) -> [UInt8] {
    let size = try stamp().size
    // Not more than there is: a caller may ask for "everything" with a huge number.
    let expected = Int(min(Int64(max(count, 0)), max(size - offset, 0)))
    var failure: WorkspaceError?
    let bytes = [UInt8](unsafeUninitializedCapacity: expected) { buffer, initialized in
      do throws(WorkspaceError) {
        initialized = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// The whole content; throws `tooLarge` when there are more than `limit` bytes.
  package func readAll(limit: Int) throws(WorkspaceError) -> [UInt8] {
    let size = try stamp().size
    guard size <= limit else {
      throw WorkspaceError(
        .tooLarge, path: path.string,
        "\(quoted(path.string)) has \(size) bytes, and at most \(limit) are read at once; read it in parts")
    }
    // Files below /proc say that they are empty and are not; those of a project are what they say.
    return try read(count: limit)
  }

  /// The status of a file on the disk.
  func status() throws(WorkspaceError) -> stat {
    guard case .descriptor(let descriptor) = content else {
      throw WorkspaceError(
        .io, path: path.string, "cannot look at \(quoted(path.string)): it is not on the disk")
    }
    do {
      return try SystemCalls.status(of: descriptor)
    } catch {
      throw WorkspaceError(error, path: path.string, cannot: "look at")
    }
  }
}
