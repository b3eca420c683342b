import Glibc

/// A file that is written beside its place under a name of its own, and put there when it is whole.
final class DownloadTarget: Sendable {
  /// Where it will be.
  let path: String
  private let temporary: String
  private let descriptor: Int32
  private let replaces: Bool

  /// - Parameter replaces: whether a file that is there already is replaced; else it is an error, now or at the
  ///   end.
  init(_ path: String, replacing replaces: Bool) throws(CommandFailure) {
    self.path = path
    self.replaces = replaces
    var status = stat()
    if lstat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw CommandFailure(.usage, "\(path) is there already, and is no regular file.")
      }
      guard replaces else { throw Self.taken(path) }
    }
    let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    // Discovery passes over names like this one.
    temporary = directory + ".moontide-\(getpid())-download.part"
    unlink(temporary)
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw CommandFailure(.usage, "\(path) cannot be made: \(systemMessage()).") }
  }

  deinit {
    close(descriptor)
    // Gone already where it was put in place.
    unlink(temporary)
  }

  func write(_ bytes: [UInt8]) throws(CommandFailure) {
    try StandardStream.write(bytes, to: descriptor)
  }

  /// Puts the file in its place, durable.
  func place() throws(CommandFailure) {
    guard fsync(descriptor) == 0 else { throw failure() }
    if replaces {
      guard rename(temporary, path) == 0 else { throw failure() }
    } else if link(temporary, path) != 0 {
      // No hard links here: an empty file claims the name, and is then ours to replace.
      guard [EPERM, ENOSYS, ENOTSUP].contains(errno) else { throw failure() }
      let claim = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard claim >= 0 else { throw failure() }
      close(claim)
      guard rename(temporary, path) == 0 else { throw failure() }
    }
  }

  private func failure() -> CommandFailure {
    errno == EEXIST
      ? Self.taken(path) : CommandFailure(.filesFailed, "\(path) cannot be written: \(systemMessage()).")
  }

  private static func taken(_ path: String) -> CommandFailure {
    CommandFailure(.usage, "\(path) is there already; --force replaces it.")
  }
}
