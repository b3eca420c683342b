import GRDB
import Ingestion

extension LedgerError {
  /// The ledger's word for whatever went wrong in its database, with what to do about it.
  init(reading error: any Error, _ path: String) {
    switch error {
    case let error as LedgerError:
      self = error
    case let error as DatabaseError:
      let reason = error.message ?? "SQLite error \(error.resultCode.rawValue)"
      let sentence =
        switch error.resultCode {
        case .SQLITE_FULL:
          "There is no room left on the disk for the ledger \(path). Make room, and run again."
        case .SQLITE_READONLY, .SQLITE_PERM:
          "The ledger \(path) cannot be written (\(reason)). Give the user that runs Moontide the right to write "
            + "it, the files ledger.sqlite-wal and -shm beside it, and their directory."
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
          "The ledger \(path) is damaged (\(reason)). Restore it from a backup, or move it away to begin anew."
        default:
          "The ledger \(path) cannot be used: \(reason)."
        }
      self.init(.unavailable, sentence)
    default:
      self.init(.unavailable, "The ledger \(path) cannot be used: \(error)")
    }
  }
}
