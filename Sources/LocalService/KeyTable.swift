import Digests
import FileSessions
import FoundationEssentials
import GRDB

/// The rows of API keys, within one transaction.
struct KeyTable {
  private let database: Database

  init(_ database: Database) {
    self.database = database
  }

  func insert(_ record: KeyRecord, digest: KeyDigest) throws {
    let caller = record.caller
    let user: String? =
      switch caller.subject {
      case .user(let id): id
      case .workspace: nil
      }
    try database.execute(
      sql: """
        INSERT INTO api_key (\(KeyRecord.columns), lookup, digest)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        record.id, record.name, caller.organisation, user, caller.isAdmin,
        caller.scopes.map(\.rawValue).sorted().joined(separator: " "), record.hint,
        record.createdAt.milliseconds, record.revokedAt?.milliseconds, digest.lookup, digest.data,
      ])
  }

  /// Whom a valid key stands for; nil when there is none with that digest.
  func caller(of digest: KeyDigest) throws -> Caller? {
    let statement = try database.cachedStatement(
      sql: "SELECT \(KeyRecord.columns), digest FROM api_key WHERE lookup = ? AND revoked_at IS NULL")
    return try Row.fetchAll(statement, arguments: [digest.lookup])
      .first { digest == KeyDigest(data: $0[9]) }
      .map { KeyRecord($0).caller }
  }

  /// Every key, oldest first, the revoked ones too.
  func all() throws -> [KeyRecord] {
    try Row.fetchAll(database, sql: "SELECT \(KeyRecord.columns) FROM api_key ORDER BY number")
      .map(KeyRecord.init)
  }

  /// The key of that id, or the valid one of that name.
  func find(_ nameOrID: String) throws -> KeyRecord? {
    try Row.fetchOne(
      database,
      sql: """
        SELECT \(KeyRecord.columns) FROM api_key WHERE id = ?1 OR (name = ?1 AND revoked_at IS NULL)
        ORDER BY id = ?1 DESC LIMIT 1
        """,
      arguments: [nameOrID]
    ).map(KeyRecord.init)
  }

  func revoke(_ id: String, at now: Timestamp) throws {
    try database.execute(
      sql: "UPDATE api_key SET revoked_at = ? WHERE id = ?", arguments: [now.milliseconds, id])
  }
}

/// The SHA-256 of a key: what is kept of it.
///
/// A key has too many bits to be guessed from its digest, so that a slow hash would only slow every request.
struct KeyDigest: Sendable, Equatable {
  private let bytes: [UInt8]

  init(_ secret: String) {
    bytes = SHA256.digest(Array(secret.utf8))
  }

  init(data: Data) {
    bytes = Array(data)
  }

  var data: Data { Data(bytes) }

  /// The first eight bytes, by which the row is found.
  var lookup: Int64 {
    Int64(bitPattern: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
  }

  static func == (left: KeyDigest, right: KeyDigest) -> Bool {
    ConstantTime.equal(left.bytes, right.bytes)
  }
}
