import FileSessions
import GRDB

/// The rows of sessions, within one transaction.
struct SessionTable {
  private let database: Database

  init(_ database: Database) {
    self.database = database
  }

  /// The session `id` if `organisation` has it; of any organisation when that is nil.
  func find(_ id: String, in organisation: String?) throws -> SessionRecord? {
    let statement = try database.cachedStatement(
      sql: "SELECT \(SessionRecord.columns), organisation FROM session WHERE id = ?")
    guard let row = try Row.fetchOne(statement, arguments: [id]) else { return nil }
    if let organisation, row[12] != organisation { return nil }
    return try SessionRecord(row)
  }

  /// Adds a session and its organisation.
  func insert(_ record: SessionRecord, in organisation: String) throws {
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO session (organisation, \(SessionRecord.columns))
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [organisation, record.session.id] + arguments(of: record))
  }

  /// Writes what may have changed of a session.
  func update(_ record: SessionRecord) throws {
    let statement = try database.cachedStatement(
      sql: """
        UPDATE session SET filename = ?, mime_type = ?, size_bytes = ?, status = ?, created_at = ?,
          expires_at = ?, completed_at = ?, refuses_overwrite = ?, blob = ?, received_bytes = ?,
          received_md5 = ?
        WHERE id = ?
        """)
    try statement.execute(arguments: arguments(of: record) + [record.session.id])
  }

  /// Whether the organisation has a knowledge file of that name.
  func hasKnowledge(named filename: String, in organisation: String) throws -> Bool {
    let statement = try database.cachedStatement(
      sql: "SELECT 1 FROM session WHERE organisation = ? AND filename = ? AND refuses_overwrite = 1")
    return try Row.fetchOne(statement, arguments: [organisation, filename]) != nil
  }

  /// A page of an organisation's sessions, newest first.
  func page(_ page: Page, of organisation: String) throws -> [SessionRecord] {
    let statement = try database.cachedStatement(
      sql: """
        SELECT \(SessionRecord.columns) FROM session WHERE organisation = ?
        ORDER BY created_at DESC, number DESC LIMIT ? OFFSET ?
        """)
    return try Row.fetchAll(statement, arguments: [organisation, page.limit, page.offset]).map(
      SessionRecord.init)
  }

  /// How many sessions an organisation has.
  func count(of organisation: String) throws -> Int {
    let statement = try database.cachedStatement(
      sql: "SELECT COUNT(*) FROM session WHERE organisation = ?")
    return try Int.fetchOne(statement, arguments: [organisation]) ?? 0
  }

  /// Whether any session's time has passed and its row does not say so yet.
  func hasDue(at now: Timestamp) throws -> Bool {
    let statement = try database.cachedStatement(
      sql: "SELECT 1 FROM session WHERE status = 'PENDING' AND expires_at <= ? LIMIT 1")
    return try Row.fetchOne(statement, arguments: [now.milliseconds]) != nil
  }

  /// The sessions whose time has passed and whose rows do not say so yet.
  func due(at now: Timestamp) throws -> [SessionRecord] {
    let statement = try database.cachedStatement(
      sql: """
        SELECT \(SessionRecord.columns) FROM session WHERE status = 'PENDING' AND expires_at <= ?
        """)
    return try Row.fetchAll(statement, arguments: [now.milliseconds]).map(SessionRecord.init)
  }

  /// The blobs that rows name, of those whose names begin with `shard`.
  func blobs(in shard: String) throws -> Set<String> {
    try String.fetchSet(
      database, sql: "SELECT blob FROM session WHERE blob >= ? AND blob < ?",
      arguments: [shard, shard + "g"])
  }

  private func arguments(of record: SessionRecord) -> StatementArguments {
    let session = record.session
    return [
      session.filename, session.mimeType, session.sizeBytes, session.status.rawValue,
      session.createdAt.milliseconds, session.expiresAt?.milliseconds, session.completedAt?.milliseconds,
      record.refusesOverwrite, record.bytes?.blob, record.bytes?.receipt.bytes, record.bytes?.receipt.md5.hex,
    ]
  }
}
