import FileSessions
import GRDB
import Ingestion
import SQLiteStore

/// Where requests are left for the process that owns a ledger; it needs no ownership, and takes nobody's.
package struct LedgerDesk: Sendable {
  private let store: SQLiteStore
  private let clock: WallClock

  /// Opens the ledger in `directory`, which has to be there.
  package init(directory: String, clock: WallClock) throws(LedgerError) {
    self.clock = clock
    do throws(StoreError) {
      store = try SQLiteStore(
        path: directory + "/" + SQLiteLedger.fileName, applicationID: LedgerSchema.applicationID,
        migrator: LedgerSchema.migrator)
    } catch {
      throw LedgerError(.unavailable, error.message)
    }
  }

  /// Leaves a request for the owner, who does it when it next looks.
  package func leave(_ request: JobRequest) async throws(LedgerError) {
    let now = clock.now
    try await write { database in
      try database.execute(
        sql: "INSERT INTO requests (at, content) VALUES (?, ?)",
        arguments: [now.milliseconds, try JobRow.encode(request)])
    }
  }

  /// Pauses a destination, a recipe, or both; nil is every one. A pause that is there stays as it is.
  package func pause(profile: String?, recipe: String?) async throws(LedgerError) {
    let now = clock.now
    try await write { database in
      try database.execute(
        sql: "INSERT OR IGNORE INTO pauses (profile, recipe, at) VALUES (?, ?, ?)",
        arguments: [profile ?? "", recipe ?? "", now.milliseconds])
    }
  }

  /// Ends pauses: those of this destination and this recipe; nil is every one. Tells how many there were.
  package func resume(profile: String?, recipe: String?) async throws(LedgerError) -> Int {
    try await write { database in
      try database.execute(
        sql: "DELETE FROM pauses WHERE (?1 IS NULL OR profile = ?1) AND (?2 IS NULL OR recipe = ?2)",
        arguments: [profile, recipe])
      return database.changesCount
    }
  }

  private func write<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(LedgerError) -> Value {
    do { return try await store.write(body) } catch { throw LedgerError(reading: error, store.path) }
  }
}
