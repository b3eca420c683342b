/// What kind of thing a script may be permitted.
package enum PermissionKind: String, CaseIterable, Hashable, Sendable, Comparable {
  /// Reading files outside of the project; objects are paths.
  case read
  /// Writing, moving and removing files outside of the project; objects are paths.
  case write
  /// Connecting to a server; objects are `host` or `host:port`.
  case net
  /// Reading an environment variable; objects are names.
  case env
  /// Starting a program; objects are names that are found in `PATH`, or paths.
  case run
  /// Calling the API; objects are its scopes.
  case service

  /// The flag of the command line that grants it: `--allow-net`.
  package var flag: String { "--allow-\(rawValue)" }

  package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The API's scopes that the library's calls take.
package enum ServiceScope {
  package static let createFiles = "files:create"
  package static let readFiles = "files:read"
  package static let createMeetings = "meetings:create"
  package static let readMeetings = "meetings:read"
  package static let updateMeetings = "meetings:update"

  /// All of them, sorted.
  package static let all = [createFiles, readFiles, createMeetings, readMeetings, updateMeetings].sorted()
}
