import FileSessions
import GRDB
import Ingestion
import Workspace

/// What was sent, by its content.
extension SQLiteLedger {
  private static let mostPlaces = 1000

  package func placesOfTraces(profile: String) async throws(LedgerError) -> [ProjectPath] {
    try await read { database in
      // What is left of a path without all characters at its end that are not "/".
      try String.fetchAll(
        database,
        sql: "SELECT DISTINCT rtrim(path, replace(path, '/', '')) FROM traces WHERE profile = ? LIMIT ?",
        arguments: [profile, Self.mostPlaces]
      ).map { try ProjectPath("./" + $0) }
    }
  }

  /// Jobs for which a session may be open. Begins as the condition of the index does, so that SQLite can use that.
  private static let isOpen =
    "phase IN ('decided', 'opened', 'uploaded', 'completed') AND phase <> 'completed'"
  private static let underWay = "jobs INDEXED BY jobs_under_way"

  package func hasContent(
    ofSize size: Int64, profile: String, recipe: String
  ) async throws(LedgerError) -> Bool {
    try await read { database in
      let statement = try database.cachedStatement(
        sql: """
          SELECT EXISTS (SELECT 1 FROM sent WHERE profile = ?1 AND recipe = ?2 AND size = ?3)
            OR EXISTS (SELECT 1 FROM \(Self.underWay) WHERE profile = ?1 AND recipe = ?2 AND size = ?3 AND \(Self.isOpen))
          """)
      return try Bool.fetchOne(statement, arguments: [profile, recipe, size]) ?? false
    }
  }

  package func unfinished(
    profile: String, recipe: String, ofSize size: Int64
  ) async throws(LedgerError) -> [Job] {
    try await read { database in
      try Row.fetchAll(
        try database.cachedStatement(
          sql: """
            SELECT \(JobRow.columns) FROM \(Self.underWay)
            WHERE profile = ? AND recipe = ? AND size = ? AND \(Self.isOpen) ORDER BY id
            """), arguments: [profile, recipe, size]
      ).map(JobRow.job)
    }
  }

  package func sentPath(
    size: Int64, md5: MD5Digest, profile: String, recipe: String
  ) async throws(LedgerError) -> ProjectPath? {
    try await read { database in
      let statement = try database.cachedStatement(
        sql: """
          SELECT path FROM sent WHERE profile = ? AND recipe = ? AND size = ? AND md5 = ? ORDER BY at, path LIMIT 1
          """)
      return try String.fetchOne(statement, arguments: [profile, recipe, size, md5.hex]).map {
        try ProjectPath($0)
      }
    }
  }
}
