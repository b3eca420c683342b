import FoundationEssentials
import GRDB
import Ingestion

/// What the ledger keeps for scripts, beside the jobs.
extension SQLiteLedger {
  // MARK: - Sessions that plain scripts open

  /// Remembers a session that a script opened, until it is known to have ended.
  package func remember(_ session: ScriptSession, profile: String) async throws(LedgerError) {
    try await write { database in
      try database.execute(
        sql:
          "INSERT OR REPLACE INTO script_sessions (profile, session, script, filename) VALUES (?, ?, ?, ?)",
        arguments: [profile, session.id, session.script, session.filename])
    }
  }

  /// The sessions that scripts opened and that are not known to have ended.
  package func scriptSessions(profile: String) async throws(LedgerError) -> [ScriptSession] {
    try await read { database in
      try Row.fetchAll(
        database,
        sql: "SELECT session, script, filename FROM script_sessions WHERE profile = ? ORDER BY session",
        arguments: [profile]
      ).map { ScriptSession(id: $0["session"], script: $0["script"], filename: $0["filename"]) }
    }
  }

  /// Forgets a session that has ended.
  package func forget(scriptSession id: String, profile: String) async throws(LedgerError) {
    try await write { database in
      try database.execute(
        sql: "DELETE FROM script_sessions WHERE profile = ? AND session = ?", arguments: [profile, id])
    }
  }

  // MARK: - What is done once for a job

  /// What the step `label` gave for this job; nil when it has not been recorded.
  package func onceResult(of key: JobKey, label: String) async throws(LedgerError) -> [UInt8]? {
    try await read { database in
      try Data.fetchOne(
        database, sql: "SELECT result FROM once WHERE profile = ? AND recipe = ? AND path = ? AND label = ?",
        arguments: [key.profile, key.recipe, key.path.string, label]
      ).map(Array.init)
    }
  }

  /// Records what the step `label` gave for this job; the first result stays.
  package func recordOnce(_ result: [UInt8], of key: JobKey, label: String) async throws(LedgerError) {
    try await write { database in
      try database.execute(
        sql: "INSERT OR IGNORE INTO once (profile, recipe, path, label, result) VALUES (?, ?, ?, ?, ?)",
        arguments: [key.profile, key.recipe, key.path.string, label, Data(result)])
    }
  }
}
