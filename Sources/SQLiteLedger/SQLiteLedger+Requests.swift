import FileSessions
import GRDB
import Ingestion

/// What people ask of the ledger.
extension SQLiteLedger {
  package func requests() async throws(LedgerError) -> LedgerRequests {
    try await read { database in try RequestTable.all(in: database) }
  }

  package func settle(request id: Int64) async throws(LedgerError) {
    try await write { database in
      try database.execute(sql: "DELETE FROM requests WHERE id = ?", arguments: [id])
    }
  }

  package func split(request id: Int64, into parts: [JobRequest]) async throws(LedgerError) {
    try await write { database in
      // Of two who see it, one does it.
      guard
        let moment = try Int64.fetchOne(
          database, sql: "DELETE FROM requests WHERE id = ? RETURNING at", arguments: [id])
      else { return }
      for part in parts {
        try database.execute(
          sql: "INSERT INTO requests (at, content) VALUES (?, ?)",
          arguments: [moment, try JobRow.encode(part)])
      }
    }
  }

  package func otherRecipes(of key: JobKey) async throws(LedgerError) -> [String] {
    try await read { database in
      try String.fetchAll(
        try database.cachedStatement(
          sql: """
            SELECT recipe FROM jobs WHERE path = ? AND profile = ? AND recipe <> ?
              AND phase IN ('completed', 'done') AND session IS NOT NULL ORDER BY recipe
            """), arguments: [key.path.string, key.profile, key.recipe])
    }
  }

  package func jobs(
    _ selection: JobSelection, after id: Int64, limit: Int
  ) async throws(LedgerError) -> JobPage {
    try await read { database in
      try JobQuery(selection).page(after: id, limit: limit, in: database)
    }
  }

  package func forget(_ keys: [JobKey]) async throws(LedgerError) {
    try await write { database in
      for key in keys {
        for table in ["jobs", "sent", "once"] {
          try database.execute(
            sql: "DELETE FROM \(table) WHERE profile = ? AND recipe = ? AND path = ?",
            arguments: [key.profile, key.recipe, key.path.string])
        }
        // No recipe has this version.
        try database.execute(
          sql: """
            UPDATE jobs SET recipe_version = '', same_as = NULL, revision = revision + 1
            WHERE profile = ? AND recipe = ? AND same_as = ?
            """, arguments: [key.profile, key.recipe, key.path.string])
      }
    }
  }
}

extension LedgerReader {
  /// What is asked for and not done yet, and what is paused.
  package func requests() async throws(LedgerError) -> LedgerRequests {
    try await read { database in
      // A ledger that an older version wrote has no such table until it is owned again.
      guard try database.tableExists("requests") else { return LedgerRequests() }
      return try RequestTable.all(in: database)
    }
  }
}

/// Requests and pauses in their tables.
enum RequestTable {
  static func all(in database: Database) throws -> LedgerRequests {
    let open = try Row.fetchAll(database, sql: "SELECT id, content FROM requests ORDER BY id").compactMap {
      row -> LedgerRequests.Entry? in
      // One that a newer version asked for is left to that.
      guard let request: JobRequest = try? JobRow.decode(row["content"] as String) else { return nil }
      return LedgerRequests.Entry(id: row["id"], request: request)
    }
    let pauses = try Row.fetchAll(
      database, sql: "SELECT profile, recipe, at FROM pauses ORDER BY profile, recipe"
    ).map { row in
      Pause(
        profile: named(row["profile"]), recipe: named(row["recipe"]),
        since: Timestamp(milliseconds: row["at"]))
    }
    return LedgerRequests(open: open, pauses: pauses)
  }

  private static func named(_ text: String) -> String? { text.isEmpty ? nil : text }
}
