import FileSessions
import FoundationEssentials
import Glibc
import Ingestion

/// The process that works with a ledger.
package struct LedgerOwner: Hashable, Sendable, Codable {
  package var pid: Int32
  /// The words of its command line.
  package var command: String
  package var since: Timestamp
}

/// The lock that makes one process the owner of a ledger.
///
/// It is held by the kernel and goes with the process, however that ends; child processes do not inherit it.
/// The lock file says who holds it. Whether it is held can be asked without taking it, so that asking never
/// stands in anybody's way.
final class OwnerLock: Sendable {
  private let descriptor: Int32

  init(directory: String, now: Timestamp) throws(LedgerError) {
    let path = Self.path(in: directory)
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw LedgerError(.unavailable, "\(path) cannot be opened: \(Self.systemMessage)")
    }
    var lock = Self.wholeFile
    guard fcntl(descriptor, OpenFileLock.set, &lock) == 0 else {
      defer { close(descriptor) }
      guard errno == EAGAIN || errno == EACCES else {
        throw LedgerError(.unavailable, "\(path) cannot be locked: \(Self.systemMessage)")
      }
      throw LedgerError(.owned, "Another process works with this project: \(Self.phrase(of: descriptor)).")
    }
    self.descriptor = descriptor
    let owner = LedgerOwner(
      pid: getpid(), command: CommandLine.arguments.joined(separator: " "), since: now)
    let text = ((try? JobRow.encode(owner)) ?? "") + "\n"
    ftruncate(descriptor, 0)
    _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
  }

  deinit {
    // Not left to the closing: a process that is just being started has the descriptor too, until it is another program.
    var none = Self.wholeFile
    none.l_type = Int16(F_UNLCK)
    _ = fcntl(descriptor, OpenFileLock.set, &none)
    close(descriptor)
  }

  /// Who holds the lock; nil when nobody does.
  static func holder(in directory: String) -> LedgerHolder? {
    let descriptor = open(path(in: directory), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var lock = wholeFile
    guard fcntl(descriptor, OpenFileLock.get, &lock) == 0, lock.l_type != Int16(F_UNLCK) else { return nil }
    return owner(descriptor).map { .known($0) } ?? .unknown
  }

  private static func path(in directory: String) -> String { directory + "/ledger.lock" }

  private static var wholeFile: flock {
    var lock = Glibc.flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    return lock
  }

  private static var systemMessage: String { String(cString: strerror(errno)) }

  private static func phrase(of descriptor: Int32) -> String {
    guard let owner = owner(descriptor) else { return "its name is not known" }
    return "process \(owner.pid) (\(owner.command)), since \(owner.since)"
  }

  private static func owner(_ descriptor: Int32) -> LedgerOwner? {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    return try? JobRow.decode(String(decoding: bytes[..<count], as: UTF8.self))
  }
}

/// Who holds a ledger.
package enum LedgerHolder: Hashable, Sendable {
  case known(LedgerOwner)
  /// Somebody, who has not written down yet who it is.
  case unknown
}

/// Locks that belong to an open file (Linux's `fcntl_locking(2)`), not to the process: another open of the same file
/// in the same process is somebody else, and closing one does not let go of the other's.
private enum OpenFileLock {
  /// `F_OFD_GETLK`
  static let get: Int32 = 36
  /// `F_OFD_SETLK`
  static let set: Int32 = 37
}

extension LedgerReader {
  /// Who owns the ledger now; nil when nobody does.
  package static func holder(in directory: String) -> LedgerHolder? { OwnerLock.holder(in: directory) }
}
