import Glibc

/// The lock by which processes that use a store know of each other.
///
/// Everybody holds it shared. Who gets it alone at opening may sweep, because nobody's blob can then be on its
/// way. `flock` ends with the process however that ends.
struct StoreLock: ~Copyable, Sendable {
  private let file: Descriptor

  /// Opens the lock file and takes nothing yet.
  init(_ path: String) throws(SystemError) {
    file = try Descriptor(path, O_RDWR | O_CREAT, mode: 0o600)
  }

  /// Takes the lock alone; false when somebody else has it.
  func tryExclusive() throws(SystemError) -> Bool {
    do throws(SystemError) {
      try SystemError.check("lock", file.path) { flock(file.number, LOCK_EX | LOCK_NB) }
      return true
    } catch  where error.code == EWOULDBLOCK {
      return false
    }
  }

  /// Takes the lock beside others, and waits while somebody has it alone.
  func share() throws(SystemError) {
    try SystemError.check("lock", file.path) { flock(file.number, LOCK_SH) }
  }
}
