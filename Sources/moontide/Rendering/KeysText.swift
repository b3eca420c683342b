import FileSessions
import LocalService

/// API keys as a person reads them; never the key itself.
enum KeysText {
  /// All of them.
  static func table(_ keys: [KeyRecord]) -> String {
    if keys.isEmpty { return StandardStream.output.isTerminal ? "No keys.\n" : "" }
    var table = RowTable(heading: [
      "NAME", "KEY", "ORGANISATION", "FOR", "SCOPES", "CREATED", "REVOKED", "ID",
    ])
    return table.text(
      keys.map { record in
        [
          record.name.printable, record.hint, record.caller.organisation, standing(record), scopes(record),
          record.createdAt.description, record.revokedAt?.description ?? "-", record.id,
        ]
      })
  }

  /// `ci (key_…, …a1b2): admin user of org_local, may files:create`
  static func line(_ record: KeyRecord) -> String {
    "\(record.name.printable) (\(record.id), \(record.hint)): \(standing(record)) of "
      + "\(record.caller.organisation), may \(scopes(record))"
  }

  private static func standing(_ record: KeyRecord) -> String {
    let kind = record.caller.standing.isUser ? "user" : "workspace"
    return record.caller.isAdmin ? "admin \(kind)" : kind
  }

  private static func scopes(_ record: KeyRecord) -> String {
    let scopes = record.caller.scopes.map(\.rawValue).sorted()
    return scopes.isEmpty ? "everything" : scopes.joined(separator: ",")
  }
}

/// A key as JSON.
struct KeyJSON: Encodable {
  private enum CodingKeys: String, CodingKey {
    case id, name, key, hint, organisation, subjectType, isAdmin, scopes, createdAt, revokedAt
  }

  let record: KeyRecord
  /// The key itself, where it was just made.
  let key: APIKey?

  init(_ record: KeyRecord, key: APIKey? = nil) {
    self.record = record
    self.key = key
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(record.id, forKey: .id)
    try container.encode(record.name, forKey: .name)
    try container.encodeIfPresent(key?.secret, forKey: .key)
    try container.encode(record.hint, forKey: .hint)
    try container.encode(record.caller.organisation, forKey: .organisation)
    try container.encode(record.caller.standing.isUser ? "user" : "workspace", forKey: .subjectType)
    try container.encode(record.caller.isAdmin, forKey: .isAdmin)
    try container.encode(record.caller.scopes.map(\.rawValue).sorted(), forKey: .scopes)
    try container.encode(record.createdAt, forKey: .createdAt)
    try container.encode(record.revokedAt, forKey: .revokedAt)
  }
}
