import GRDB
import Ingestion
import Workspace

/// What failures are grouped by, in the rows of a ledger that an older version wrote.
enum FailureReasons {
  /// Fills in what is missing.
  static func fill(_ database: Database) throws {
    var last: Int64 = 0
    while true {
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT id, path, failure FROM jobs WHERE id > ? AND failure IS NOT NULL AND failure_reason IS NULL
          ORDER BY id LIMIT 1000
          """, arguments: [last])
      guard let end = rows.last else { return }
      last = end["id"]
      for row in rows {
        guard let failure: Failure = try JobRow.decode(row["failure"]) else { continue }
        try database.cachedStatement(sql: "UPDATE jobs SET failure_reason = ? WHERE id = ?").execute(
          arguments: [failure.reason(path: try ProjectPath(row["path"] as String)), row["id"] as Int64])
      }
    }
  }
}
