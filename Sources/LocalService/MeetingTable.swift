import FileSessions
import FoundationEssentials
import GRDB

/// The rows of meetings, within one transaction.
struct MeetingTable {
  private let database: Database

  init(_ database: Database) {
    self.database = database
  }

  /// The meeting `id` if `organisation` has it.
  func find(_ id: String, in organisation: String) throws -> MeetingRecord? {
    let statement = try database.cachedStatement(
      sql: "SELECT \(MeetingRecord.columns) FROM meeting WHERE id = ? AND organisation = ?")
    return try Row.fetchOne(statement, arguments: [id, organisation]).map(MeetingRecord.init)
  }

  func insert(_ record: MeetingRecord, in organisation: String) throws {
    let statement = try database.cachedStatement(
      sql: "INSERT INTO meeting (organisation, \(MeetingRecord.columns)) VALUES (?, ?, ?, ?, ?)")
    try statement.execute(arguments: [
      organisation, record.id, record.createdAt.milliseconds, record.updatedAt?.milliseconds,
      Self.text(of: record.content),
    ])
  }

  /// Writes what may have changed of a meeting.
  func update(_ record: MeetingRecord) throws {
    let statement = try database.cachedStatement(
      sql: "UPDATE meeting SET updated_at = ?, content = ? WHERE id = ?")
    try statement.execute(arguments: [
      record.updatedAt?.milliseconds, Self.text(of: record.content), record.id,
    ])
  }

  /// A page of an organisation's meetings, newest first.
  func page(_ page: Page, of organisation: String) throws -> [MeetingRecord] {
    let statement = try database.cachedStatement(
      sql: """
        SELECT \(MeetingRecord.columns) FROM meeting WHERE organisation = ?
        ORDER BY created_at DESC, number DESC LIMIT ? OFFSET ?
        """)
    return try Row.fetchAll(statement, arguments: [organisation, page.limit, page.offset]).map(
      MeetingRecord.init)
  }

  /// How many meetings an organisation has.
  func count(of organisation: String) throws -> Int {
    let statement = try database.cachedStatement(
      sql: "SELECT COUNT(*) FROM meeting WHERE organisation = ?")
    return try Int.fetchOne(statement, arguments: [organisation]) ?? 0
  }

  private static func text(of content: NewMeeting) throws -> String {
    String(decoding: try JSONEncoder().encode(content), as: UTF8.self)
  }
}
