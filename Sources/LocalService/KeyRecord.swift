import FileSessions
import GRDB

/// What the local service keeps of an API key: everything but the key.
package struct KeyRecord: Hashable, Sendable {
  /// `key_…`
  package let id: String
  /// What its owner calls it; no two keys that are valid share a name.
  package let name: String
  /// Whom it stands for, and what it may do.
  package let caller: Caller
  /// The key's last four characters, `…a1b2`.
  package let hint: String
  package let createdAt: Timestamp
  /// Since when it is no longer valid, nil while it is.
  package internal(set) var revokedAt: Timestamp?

  init(id: String, name: String, caller: Caller, hint: String, createdAt: Timestamp) {
    self.id = id
    self.name = name
    self.caller = caller
    self.hint = hint
    self.createdAt = createdAt
  }
}

extension KeyRecord {
  static let columns = "id, name, organisation, user, is_admin, scopes, hint, created_at, revoked_at"

  /// Reads the ``columns``.
  init(_ row: Row) {
    let scopes = (row[5] as String).split(separator: " ").map { Scope(rawValue: String($0)) }
    self.init(
      id: row[0], name: row[1],
      caller: Caller(
        organisation: row[2], subject: (row[3] as String?).map(Caller.Subject.user) ?? .workspace,
        isAdmin: row[4], scopes: Set(scopes)),
      hint: row[6], createdAt: Timestamp(milliseconds: row[7]))
    revokedAt = (row[8] as Int64?).map(Timestamp.init(milliseconds:))
  }
}
