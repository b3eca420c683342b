import FoundationEssentials
import Glibc

/// A small file of the state directory that is replaced as a whole, so that a reader finds the old or the new.
struct StateFile: Sendable {
  let path: String

  private var directory: String { String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)) }

  /// The content; nil when there is no such file.
  func read() throws(CommandFailure) -> Data? {
    let url = URL(filePath: path, directoryHint: .notDirectory)
    do {
      return try Data(contentsOf: url)
    } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
      return nil
    } catch {
      throw CommandFailure(.usage, "\(path) cannot be read: \(systemMessage(of: error)).")
    }
  }

  /// Reads, changes and replaces the file while no other process does; `nil` leaves it as it is.
  ///
  /// The directory must be there. The file is on the disk when this returns.
  func change(_ body: (Data?) throws(CommandFailure) -> Data?) throws(CommandFailure) {
    let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw failure() }
    defer { close(folder) }
    while flock(folder, LOCK_EX) != 0 {
      guard errno == EINTR else { throw failure() }
    }
    guard let new = try body(try read()) else { return }
    // The lock is held: nobody else uses this name.
    let temporary = path + ".new"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    try StandardStream.write([UInt8](new), to: descriptor)
    guard fsync(descriptor) == 0, rename(temporary, path) == 0, fsync(folder) == 0 else { throw failure() }
  }

  private func failure() -> CommandFailure {
    CommandFailure(.usage, "\(path) cannot be written: \(systemMessage()).")
  }
}
