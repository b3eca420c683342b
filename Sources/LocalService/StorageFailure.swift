import FileSessions
import GRDB

extension ServiceError {
  /// What a failure of the disk or the database below the local service means to its caller.
  ///
  /// - Parameter directory: the store's, for the message.
  init(storage failure: any Error, in directory: String) {
    switch failure {
    case let error as ServiceError:
      self = error
    case is CancellationError:
      self = .cancelled
    case let error as SystemError where error.isDiskFull:
      self = .diskFull(directory)
    case let error as SystemError where error.isOutOfDescriptors:
      self.init(
        .internalServerError,
        "The local service has too many files open (\(error)). Raise the limit (ulimit -n), or transfer fewer "
          + "files at once.")
    case let error as SystemError:
      self.init(.internalServerError, "The local service \(error). Check the directory \(directory).")
    case let error as DatabaseError:
      self.init(database: error, in: directory)
    default:
      self.init(.internalServerError, "The local service failed in \(directory): \(failure).")
    }
  }

  private init(database error: DatabaseError, in directory: String) {
    let detail = error.message ?? "SQLite error \(error.resultCode.rawValue)"
    switch error.resultCode {
    case .SQLITE_FULL:
      self = .diskFull(directory)
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      self.init(
        .serviceUnavailable,
        "Another process keeps the local service's database in \(directory) busy (\(detail)). Try again.")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      self.init(
        .internalServerError,
        "The local service's database in \(directory) is damaged (\(detail)). Restore it from a backup.",
        shouldRetry: false)
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      self.init(
        .internalServerError,
        "The local service may not write its database in \(directory) (\(detail)). Check its permissions.")
    default:
      self.init(
        .internalServerError, "The local service's database in \(directory) failed: \(detail).")
    }
  }

  private static func diskFull(_ directory: String) -> ServiceError {
    ServiceError(
      .internalServerError,
      "The disk of \(directory) is full. Free some space; nothing was lost, and the file can be sent again.")
  }

  static func noSuchFile(_ id: String) -> ServiceError {
    ServiceError(.notFound, "There is no file \(id).")
  }
}
