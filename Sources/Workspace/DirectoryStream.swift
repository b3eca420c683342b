import Glibc

/// One name as the directory has it.
struct RawEntry {
  let name: [UInt8]
  /// Nil where the file system does not tell kinds in its listings.
  let kind: FileKind?

  /// The name as text; nil when it is not UTF-8.
  var text: String? { String(validating: name, as: UTF8.self) }

  /// The kind and, where it could be the state directory, the identity.
  ///
  /// The inode of the listing would not do: for a mount point it is that of the directory underneath.
  func look(
    in directory: Descriptor, state: FileIdentity?
  ) throws(SystemError) -> (FileKind, FileIdentity?) {
    if let kind, kind != .directory || state == nil { return (kind, nil) }
    let status = try self.status(in: directory)
    return (FileKind(mode: status.st_mode), FileIdentity(status))
  }

  /// The status of the entry itself, also when its name is not UTF-8.
  func status(in directory: Descriptor) throws(SystemError) -> stat {
    var status = stat()
    let terminated = name.map { CChar(bitPattern: $0) } + [0]
    try SystemCalls.check { fstatat(directory.number, terminated, &status, AT_SYMLINK_NOFOLLOW) }
    return status
  }
}

/// Reads the names of a directory, some at a time (`readdir`).
///
/// `@unchecked Sendable`: the C stream must not be used by two threads at once. Its only owners are a
/// function's local variable and a frame of a `Walker`, which cannot be copied and is used by one
/// thread at a time.
final class DirectoryStream: @unchecked Sendable {
  private let stream: OpaquePointer
  private static let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19

  init(_ directory: Descriptor) throws(SystemError) {
    let number = try SystemCalls.check {
      openat(directory.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    guard let stream = fdopendir(number) else {
      let error = SystemError(number: errno)
      _ = close(number)
      throw error
    }
    self.stream = stream
  }

  deinit { closedir(stream) }

  /// The next name, without `.` and `..`; nil at the end. An error is never taken for the end.
  func next() throws(SystemError) -> RawEntry? {
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        let number = errno
        if number == 0 { return nil }
        throw SystemError(number: number)
      }
      let start = UnsafeRawPointer(entry).advanced(by: Self.nameOffset)
      let name = UnsafeRawBufferPointer(
        start: start, count: strlen(start.assumingMemoryBound(to: CChar.self)))
      if name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) { continue }
      return RawEntry(
        name: Array(name), kind: FileKind(directoryEntryType: entry.pointee.d_type))
    }
  }

  /// Whether the directory itself is gone: then it reads as empty without being so.
  static func isRemoved(_ directory: Descriptor) -> Bool {
    guard let status = try? SystemCalls.status(of: directory) else { return true }
    return status.st_nlink == 0
  }
}
