import Glibc

/// What the kernel answered when it refused a call.
struct SystemError: Error {
  let number: Int32

  /// The C library's own words for it.
  var text: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Thin wrappers: interrupted calls are repeated, a refusal is thrown, descriptors close on `exec`.
enum SystemCalls {
  /// Opens a place without the right to read it: enough to stand on, and it never blocks.
  static let pathOnly = __O_PATH | O_CLOEXEC | O_NOFOLLOW
  static let directory = pathOnly | O_DIRECTORY

  private typealias RenameAt2 =
    @Sendable @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

  /// `renameat2`, which glibc declares for C with GNU extensions only: looked up by its name.
  private static let renameAt2: RenameAt2? =
    dlsym(nil, "renameat2").map { unsafeBitCast($0, to: RenameAt2.self) }

  /// `RENAME_NOREPLACE` of `linux/fs.h`.
  private static let renameNoReplace: UInt32 = 1

  @discardableResult
  static func check<Number: FixedWidthInteger>(_ call: () -> Number) throws(SystemError) -> Number {
    while true {
      let result = call()
      if result != -1 { return result }
      let number = errno
      if number != EINTR { throw SystemError(number: number) }
    }
  }

  static func open(
    _ name: String, in directory: Descriptor, _ flags: Int32, mode: mode_t = 0
  ) throws(SystemError) -> Descriptor {
    Descriptor(try check { openat(directory.number, name, flags | O_CLOEXEC, mode) })
  }

  static func status(of descriptor: Descriptor) throws(SystemError) -> stat {
    var status = stat()
    try check { fstat(descriptor.number, &status) }
    return status
  }

  /// The status of a directory's entry; of a link itself, not of what it leads to.
  static func status(of name: String, in directory: Descriptor) throws(SystemError) -> stat {
    var status = stat()
    try check { fstatat(directory.number, name, &status, AT_SYMLINK_NOFOLLOW) }
    return status
  }

  /// The target of a link that was opened with `pathOnly`: of this very link, whatever its name now leads to.
  static func target(of link: Descriptor) throws(SystemError) -> [UInt8] {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = try check { readlinkat(link.number, "", &buffer, buffer.count) }
    return buffer.prefix(count).map { UInt8(bitPattern: $0) }
  }

  /// Renames without ever replacing what is there; throws `EINVAL` or `ENOSYS` where that is not possible.
  static func renameWithoutReplacing(
    _ name: String, in directory: Descriptor, to newName: String, in newDirectory: Descriptor
  ) throws(SystemError) {
    guard let renameAt2 else { throw SystemError(number: ENOSYS) }
    try check { renameAt2(directory.number, name, newDirectory.number, newName, renameNoReplace) }
  }

  /// Makes the entries of a directory durable.
  static func synchronize(directory: Descriptor) throws(SystemError) {
    do throws(SystemError) {
      let readable = try open(".", in: directory, O_RDONLY | O_DIRECTORY)
      try check { fsync(readable.number) }
    } catch {
      // Some network and FUSE file systems cannot do this for a directory, and one that may be written
      // but not read cannot be opened for it; there is nothing more to ask for.
      if ![EINVAL, ENOTSUP, EACCES].contains(error.number) { throw error }
    }
  }
}

/// An open file descriptor that is closed with its last owner.
final class Descriptor: Sendable {
  let number: Int32

  init(_ number: Int32) { self.number = number }

  deinit { _ = close(number) }
}

/// What makes a file the same file whatever it is called.
struct FileIdentity: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }
}
