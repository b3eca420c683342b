import FoundationEssentials
import Glibc
import Ingestion

/// The lock that makes one process the owner of a ledger.
///
/// It is held by the kernel and goes with the process, however that ends; child processes do not inherit it.
/// The lock file says who holds it.
final class OwnerLock: Sendable {
  private let descriptor: Int32

  init(directory: String) throws(LedgerError) {
    let path = directory + "/ledger.lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw LedgerError(.unavailable, "\(path) cannot be opened: \(String(cString: strerror(errno)))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let owner = Self.owner(descriptor)
      close(descriptor)
      throw LedgerError(
        .owned, "Another process is working with this project: \(owner). Wait for it, or stop it.")
    }
    self.descriptor = descriptor
    let owner = "process \(getpid()), \(CommandLine.arguments.joined(separator: " "))"
    ftruncate(descriptor, 0)
    _ = owner.withCString { pwrite(descriptor, $0, strlen($0), 0) }
  }

  deinit {
    close(descriptor)
  }

  private static func owner(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 1000)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : "its name is not known"
  }
}
