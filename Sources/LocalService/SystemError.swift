import FoundationEssentials
import Glibc

/// What the operating system refused, with the call and the path that it was about.
struct SystemError: Error, CustomStringConvertible {
  /// `errno`
  let code: Int32
  /// What was tried, as a verb: `write`.
  let action: String
  let path: String

  var description: String {
    "cannot \(action) \(path): \(String(cString: strerror(code)))"
  }

  var isMissing: Bool { code == ENOENT }
  var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }
  var isOutOfDescriptors: Bool { code == EMFILE || code == ENFILE }

  /// Calls again as long as a signal interrupts the call; throws what it failed with otherwise.
  @discardableResult
  static func check<Result: SignedInteger>(
    _ action: String, _ path: String, _ call: () -> Result
  ) throws(SystemError) -> Result {
    while true {
      let result = call()
      if result != -1 { return result }
      let code = errno
      if code != EINTR { throw SystemError(code: code, action: action, path: path) }
    }
  }
}

/// An open file that is closed when its owner lets go of it.
struct Descriptor: ~Copyable, Sendable {
  let number: Int32
  let path: String

  /// Opens `path`; never handed on to a child process.
  init(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemError) {
    self.path = path
    number = try SystemError.check("open", path) { Glibc.open(path, flags | O_CLOEXEC, mode) }
  }

  deinit {
    Glibc.close(number)
  }

  /// Writes all of `bytes` where the file stands.
  func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = try SystemError.check("write", path) {
        Glibc.write(number, rest.baseAddress, rest.count)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Reads from `offset` until `buffer` is full or the file ends; tells how many bytes.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int {
    var count = 0
    while count < buffer.count {
      let part = try SystemError.check("read", path) {
        pread(number, buffer.baseAddress.map { $0 + count }, buffer.count - count, off_t(offset) + count)
      }
      if part == 0 { break }
      count += part
    }
    return count
  }

  /// The length in bytes.
  func length() throws(SystemError) -> Int64 {
    var status = stat()
    try SystemError.check("look at", path) { fstat(number, &status) }
    return Int64(status.st_size)
  }

  /// Waits until the bytes, and the length, are on the disk.
  func syncData() throws(SystemError) {
    try SystemError.check("flush", path) { fdatasync(number) }
  }
}

/// Directories, as far as the store needs them.
enum Directory {
  /// Makes `path` and what is missing above it, for the owner's eyes only.
  static func make(_ path: String) throws(SystemError) {
    if mkdir(path, 0o700) == 0 { return }
    let code = errno
    switch code {
    case EEXIST:
      return
    case ENOENT:
      let parent = path.withoutLastComponent
      guard parent != path, !parent.isEmpty else {
        throw SystemError(code: code, action: "make", path: path)
      }
      try make(parent)
      if mkdir(path, 0o700) == 0 { return }
      let second = errno
      if second != EEXIST { throw SystemError(code: second, action: "make", path: path) }
    default:
      throw SystemError(code: code, action: "make", path: path)
    }
  }

  /// The names in `path`, without `.` and `..`; none when it is not there.
  static func names(in path: String) throws(SystemError) -> [String] {
    guard let stream = opendir(path) else {
      let error = SystemError(code: errno, action: "list", path: path)
      if error.isMissing { return [] }
      throw error
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw SystemError(code: errno, action: "list", path: path) }
        return names
      }
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
  }

  /// Waits until the names in `path` are on the disk.
  static func sync(_ path: String) throws(SystemError) {
    let directory = try Descriptor(path, O_RDONLY | O_DIRECTORY)
    try SystemError.check("flush", path) { fsync(directory.number) }
  }
}

extension String {
  /// The path above this one; itself when there is none.
  fileprivate var withoutLastComponent: String {
    var rest = self[...]
    while rest.count > 1 && rest.last == "/" { rest.removeLast() }
    guard let slash = rest.lastIndex(of: "/") else { return "" }
    return slash == rest.startIndex ? "/" : String(rest[..<slash])
  }
}
