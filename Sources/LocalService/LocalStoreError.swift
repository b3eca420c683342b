import SQLiteStore

/// Why the local service's directory could not be opened. Nothing in it was changed.
package struct LocalStoreError: Error, Sendable, CustomStringConvertible {
  package enum Code: Sendable {
    /// The database is damaged.
    case damaged
    /// The database was written by a newer version of this program.
    case newer
    /// The database is another program's.
    case foreign
    /// `policy.json` cannot be understood.
    case policy
    /// The file system, or SQLite, said no.
    case unavailable
  }

  package let code: Code
  /// The file or directory.
  package let path: String
  /// What is wrong and what to do.
  package let message: String

  package var description: String { message }

  init(code: Code, path: String, message: String) {
    self.code = code
    self.path = path
    self.message = message
  }

  init(_ error: any Error, opening directory: String) {
    switch error {
    case let error as LocalStoreError:
      self = error
    case let error as StoreError:
      let code: Code =
        switch error.code {
        case .damaged: .damaged
        case .newer: .newer
        case .foreign: .foreign
        case .unavailable: .unavailable
        }
      self.init(code: code, path: error.path, message: error.message)
    case let error as SystemError where error.isDiskFull:
      self.init(
        code: .unavailable, path: error.path,
        message: "The local service cannot use \(directory): the disk is full. Free some space.")
    default:
      self.init(
        code: .unavailable, path: directory,
        message: "The local service cannot use \(directory): \(error). "
          + "Check its permissions, or name another state directory.")
    }
  }
}
