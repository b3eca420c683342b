import Glibc
import Synchronization

/// A file that is being written beside its final place, unseen until it is put there; removed otherwise.
///
/// A crash may leave one behind: `.moontide-PROCESS-NUMBER.part`, which is never walked, listed or read, and which
/// ``Workspace/sweepUnfinished(in:)`` removes. It is locked while it is written.
struct TemporaryFile: ~Copyable {
  private static let prefix = Workspace.stateName + "-"
  private static let suffix = ".part"
  private static let counter = Atomic<UInt64>(0)

  let descriptor: Descriptor
  private let directory: Descriptor
  private let name: String
  private var isPlaced = false

  init(in directory: Descriptor, mode: mode_t) throws(SystemError) {
    self.directory = directory
    while true {
      let number = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
      let name = "\(Self.prefix)\(getpid())-\(number)\(Self.suffix)"
      do throws(SystemError) {
        descriptor = try SystemCalls.open(
          name, in: directory, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
        self.name = name
        _ = flock(descriptor.number, LOCK_EX | LOCK_NB)
        return
      } catch  where error.number == EEXIST {
        // Left behind by a process that had our number: take the next name.
      }
    }
  }

  deinit {
    if !isPlaced { _ = unlinkat(directory.number, name, 0) }
  }

  static func isName(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    name.count > prefix.utf8.count + suffix.utf8.count && name.starts(with: prefix.utf8)
      && name.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  /// The process that made the file of this name.
  static func process(of name: String) -> pid_t? {
    guard withBytes(of: name, { isName($0) }) else { return nil }
    return pid_t(name.dropFirst(prefix.count).prefix { $0 != "-" })
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
      written += try SystemCalls.check { Glibc.write(descriptor.number, rest.baseAddress, rest.count) }
    }
  }

  /// Takes over the bytes of another file, from its beginning to its end.
  func copyContent(of source: OpenFile) throws {
    let size = 1 << 20
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
    defer { buffer.deallocate() }
    var offset: Int64 = 0
    while true {
      let count = try source.read(into: buffer, at: offset)
      try write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      offset += Int64(count)
      if count < size { return }
    }
  }

  /// Takes over owner (where allowed) and permission bits, without set-user-ID and the like.
  func copyOwnerAndMode(of status: stat) throws(SystemError) {
    if status.st_uid != geteuid() || status.st_gid != getegid() {
      // Only root may give files away; for others the new file is simply theirs.
      _ = fchown(descriptor.number, status.st_uid, status.st_gid)
    }
    try SystemCalls.check { fchmod(descriptor.number, status.st_mode & 0o777) }
  }

  func copyTimes(of status: stat) throws(SystemError) {
    let times = [status.st_atim, status.st_mtim]
    try SystemCalls.check { futimens(descriptor.number, times) }
  }

  func synchronize() throws(SystemError) {
    try SystemCalls.check { fsync(descriptor.number) }
  }

  func status() throws(SystemError) -> stat { try SystemCalls.status(of: descriptor) }

  /// Puts it in its place, over what may be there; durable when this returns.
  consuming func replace(_ newName: String) throws(SystemError) {
    try SystemCalls.check { renameat(directory.number, name, directory.number, newName) }
    isPlaced = true
    try SystemCalls.synchronize(directory: directory)
  }

  /// Puts it in its place unless there is something (`EEXIST`); durable when this returns.
  consuming func place(
    _ newName: String, capabilities: FileSystemCapabilities
  ) throws(SystemError) {
    try capabilities.rename(name, in: directory, to: newName, in: directory)
    isPlaced = true
    try SystemCalls.synchronize(directory: directory)
  }
}

extension FileSystemCapabilities {
  /// Renames a file and never replaces one (`EEXIST`), by the best way there is.
  func rename(
    _ name: String, in directory: Descriptor, to newName: String, in newDirectory: Descriptor
  ) throws(SystemError) {
    if contains(.exclusiveRename) {
      do throws(SystemError) {
        return try SystemCalls.renameWithoutReplacing(name, in: directory, to: newName, in: newDirectory)
      } catch {
        // The kernel or this file system does not know the flag.
        if ![EINVAL, ENOSYS, ENOTSUP].contains(error.number) { throw error }
      }
    }
    if contains(.hardLinks) {
      do throws(SystemError) {
        try SystemCalls.check { linkat(directory.number, name, newDirectory.number, newName, 0) }
        do throws(SystemError) {
          try SystemCalls.check { unlinkat(directory.number, name, 0) }
        } catch {
          _ = unlinkat(newDirectory.number, newName, 0)
          throw error
        }
        return
      } catch {
        // No hard links here (FAT, some network file systems), or not for this file.
        if ![EPERM, ENOSYS, ENOTSUP, EMLINK].contains(error.number) { throw error }
      }
    }
    // An empty file claims the name; from then on it is ours to replace.
    _ = try SystemCalls.open(newName, in: newDirectory, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
    do throws(SystemError) {
      try SystemCalls.check { renameat(directory.number, name, newDirectory.number, newName) }
    } catch {
      _ = unlinkat(newDirectory.number, newName, 0)
      throw error
    }
  }
}
