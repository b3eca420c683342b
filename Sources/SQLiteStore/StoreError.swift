/// Why a database of ours could not be opened or written.
package struct StoreError: Error, Sendable, CustomStringConvertible {
  package enum Code: Sendable {
    /// Not a SQLite database, or one whose pages do not fit together.
    case damaged
    /// Written by a newer version of this program.
    case newer
    /// A SQLite database that another program made.
    case foreign
    /// The file system, or SQLite, said no.
    case unavailable
  }

  package let code: Code
  /// The database file.
  package let path: String
  /// What is wrong and what to do.
  package let message: String

  package var description: String { message }
}

extension StoreError {
  static func damaged(_ path: String, _ detail: String) -> StoreError {
    StoreError(
      code: .damaged, path: path,
      message: "The database \(path) is damaged (\(detail)). Nothing was changed in it. "
        + "Restore it from a backup, or move it away to begin anew.")
  }

  static func newer(_ path: String) -> StoreError {
    StoreError(
      code: .newer, path: path,
      message: "The database \(path) was written by a newer version of Moontide. Nothing was changed in it. "
        + "Use that version, or name another state directory.")
  }

  static func foreign(_ path: String) -> StoreError {
    StoreError(
      code: .foreign, path: path,
      message: "The database \(path) belongs to another program. Nothing was changed in it. "
        + "Name another state directory.")
  }

  static func readOnly(_ path: String, _ detail: String) -> StoreError {
    StoreError(
      code: .unavailable, path: path,
      message:
        "The database \(path) cannot be written (\(detail)). Give the user that runs Moontide the right "
        + "to write it, the files that end in -wal and -shm beside it, and their directory.")
  }

  static func unavailable(_ path: String, _ detail: String) -> StoreError {
    StoreError(
      code: .unavailable, path: path, message: "The database \(path) cannot be used: \(detail).")
  }
}
