import FileSessions
import FoundationEssentials
import GRDB
import Ingestion

/// A ledger as lines of JSON, for another machine: a heading, each row of each table, and an end that counts them.
enum LedgerCopy {
  private static let version = 1

  /// In an order in which rows can be put back, and what makes the order of each the same every time. Requests are
  /// left out: they are for the process that runs here.
  private static let tables = [
    ("recipes", "profile, name"), ("jobs", "id"), ("history", "rowid"),
    ("sent", "profile, recipe, path, size, md5"),
    ("traces", "profile, path"), ("once", "profile, recipe, path, label"),
    ("script_values", "profile, recipe, key"), ("script_sessions", "profile, session"),
    ("pauses", "profile, recipe"),
  ]

  private struct Heading: Codable {
    var moontide = "ledger"
    var v = LedgerCopy.version
    var at: Timestamp
  }

  private struct Line: Codable {
    var table: String
    var row: [String: Cell]
  }

  private struct End: Codable {
    var end: Int
  }

  /// Writes all of the ledger, and tells how many jobs it has.
  static func write(
    _ database: Database, at now: Timestamp, to line: (String) throws -> Void
  ) throws -> Int {
    try line(JobRow.encode(Heading(at: now)) ?? "")
    let count = try rows(of: database, line)
    try line(JobRow.encode(End(end: count)) ?? "")
    return try Int.fetchOne(database, sql: "SELECT count(*) FROM jobs") ?? 0
  }

  /// Fills an empty ledger; does nothing where it holds the very same already.
  ///
  /// - Returns: how many jobs were put in; nil when they were there.
  static func read(_ database: Database, from line: () throws -> String?) throws -> Int? {
    try readHeading(line)
    let isEmpty = try tables.allSatisfy { table in
      try Bool.fetchOne(database, sql: "SELECT NOT EXISTS (SELECT 1 FROM \(table.0))") ?? false
    }
    guard isEmpty else {
      try compare(database, line)
      return nil
    }
    var columns: [String: Set<String>] = [:]
    for (table, _) in tables { columns[table] = Set(try database.columns(in: table).map(\.name)) }
    try readRows(line) { row in
      guard columns[row.table]?.isSuperset(of: row.row.keys) == true else { return false }
      try insert(row, into: database)
      return true
    }
    try FailureReasons.fill(database)
    return try Int.fetchOne(database, sql: "SELECT count(*) FROM jobs") ?? 0
  }

  /// Reads all of it without a ledger; throws where it cannot be imported into any.
  static func check(_ line: () throws -> String?) throws {
    try readHeading(line)
    try readRows(line) { row in tables.contains { $0.0 == row.table } }
  }

  private static func readHeading(_ line: () throws -> String?) throws {
    guard let first = try line(), let heading: Heading = try? JobRow.decode(first),
      heading.moontide == "ledger"
    else { throw problem("it does not begin as an exported ledger does") }
    guard heading.v <= version else { throw problem("it was written by a newer version of Moontide") }
  }

  /// Reads rows up to the end, which has to count them.
  ///
  /// - Parameter take: gives whether it understands a row.
  private static func readRows(_ line: () throws -> String?, _ take: (Line) throws -> Bool) throws {
    var count = 0
    while let text = try line() {
      if let end: End = try? JobRow.decode(text) {
        guard end.end == count else {
          throw problem("rows are missing: it ends after \(count) of \(end.end)")
        }
        return
      }
      count += 1
      guard let row: Line = try? JobRow.decode(text), try take(row) else {
        throw problem("its line \(count + 1) cannot be understood")
      }
    }
    throw problem("it is cut off after \(count) rows")
  }

  private static func rows(of database: Database, _ line: (String) throws -> Void) throws -> Int {
    var count = 0
    for (table, order) in tables {
      let rows = try Row.fetchCursor(database, sql: "SELECT * FROM \(table) ORDER BY \(order)")
      while let row = try rows.next() {
        let cells = row.compactMap { column, value in Cell(value).map { (column, $0) } }
        try line(JobRow.encode(Line(table: table, row: Dictionary(uniqueKeysWithValues: cells))) ?? "")
        count += 1
      }
    }
    return count
  }

  private static func insert(_ line: Line, into database: Database) throws {
    let cells = line.row.sorted { $0.key < $1.key }
    let marks = Array(repeating: "?", count: cells.count).joined(separator: ", ")
    try database.cachedStatement(
      sql: "INSERT INTO \(line.table) (\(cells.map(\.key).joined(separator: ", "))) VALUES (\(marks))"
    ).execute(arguments: StatementArguments(cells.map(\.value.databaseValue)))
  }

  /// Throws unless the ledger is what the lines say.
  private static func compare(_ database: Database, _ line: () throws -> String?) throws {
    let different = LedgerError(
      .unavailable,
      "The ledger of this project is not empty, and holds something else; nothing was changed. Import into a new "
        + "project, or name another directory with --state.")
    let count = try rows(of: database) { row in
      guard try line() == row else { throw different }
    }
    guard let last = try line(), let end: End = try? JobRow.decode(last), end.end == count else {
      throw different
    }
  }

  private static func problem(_ what: String) -> LedgerError {
    LedgerError(.unavailable, "The file cannot be imported: \(what). Nothing was changed.")
  }
}

/// A value of a column in JSON.
private enum Cell: Codable {
  case integer(Int64)
  case text(String)
  case bytes(Data)

  private enum CodingKeys: String, CodingKey {
    case base64
  }

  /// nil for null.
  init?(_ value: DatabaseValue) {
    switch value.storage {
    case .null: return nil
    case .int64(let number): self = .integer(number)
    case .double(let number): self = .integer(Int64(number))
    case .string(let text): self = .text(text)
    case .blob(let bytes): self = .bytes(bytes)
    }
  }

  init(from decoder: any Decoder) throws {
    if let container = try? decoder.singleValueContainer() {
      if let number = try? container.decode(Int64.self) {
        self = .integer(number)
        return
      }
      if let text = try? container.decode(String.self) {
        self = .text(text)
        return
      }
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self = .bytes(try container.decode(Data.self, forKey: .base64))
  }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .integer(let number):
      var container = encoder.singleValueContainer()
      try container.encode(number)
    case .text(let text):
      var container = encoder.singleValueContainer()
      try container.encode(text)
    case .bytes(let bytes):
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(bytes, forKey: .base64)
    }
  }

  var databaseValue: DatabaseValue {
    switch self {
    case .integer(let number): number.databaseValue
    case .text(let text): text.databaseValue
    case .bytes(let bytes): bytes.databaseValue
    }
  }
}

extension LedgerReader {
  /// Writes all of the ledger as lines of JSON, as it is at one moment; tells how many jobs that were.
  package func export(
    at now: Timestamp, to line: @escaping @Sendable (String) throws -> Void
  ) async throws(LedgerError) -> Int {
    try await read { database in try LedgerCopy.write(database, at: now, to: line) }
  }
}

extension SQLiteLedger {
  /// Reads what ``LedgerReader/export(at:to:)`` gave; throws a `LedgerError` where it cannot be put into any ledger.
  ///
  /// - Parameter line: the next line; nil at the end. What it throws is thrown.
  package static func check(_ line: () throws -> String?) throws {
    try LedgerCopy.check(line)
  }

  /// Fills an empty ledger with what ``LedgerReader/export(at:to:)`` gave, all or nothing.
  ///
  /// - Parameter line: the next line; nil at the end.
  /// - Returns: how many jobs were put in; nil when the ledger held the very same already.
  package func load(
    from line: @escaping @Sendable () throws -> String?
  ) async throws(LedgerError) -> Int? {
    try await write { database in try LedgerCopy.read(database, from: line) }
  }
}
