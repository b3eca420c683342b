import FoundationEssentials
import GRDB
import Ingestion

/// The values that one recipe keeps from run to run under one profile.
///
/// Values are bytes to the ledger. What a call has returned from survives a crash and a power cut.
package struct RecipeValues: Sendable {
  private let ledger: SQLiteLedger
  private let profile: String
  private let recipe: String

  package init(in ledger: SQLiteLedger, profile: String, recipe: String) {
    self.ledger = ledger
    self.profile = profile
    self.recipe = recipe
  }

  /// The value of a key; nil when there is none.
  package func get(_ key: String) async throws(LedgerError) -> [UInt8]? {
    try await ledger.read { [profile, recipe] database in
      try Data.fetchOne(
        database, sql: "SELECT value FROM script_values WHERE profile = ? AND recipe = ? AND key = ?",
        arguments: [profile, recipe, key]
      ).map(Array.init)
    }
  }

  /// Sets the value of a key.
  package func set(_ key: String, _ value: [UInt8]) async throws(LedgerError) {
    try await ledger.write { [profile, recipe] database in
      try database.execute(
        sql: "INSERT OR REPLACE INTO script_values (profile, recipe, key, value) VALUES (?, ?, ?, ?)",
        arguments: [profile, recipe, key, Data(value)])
    }
  }

  /// Removes a key; one that is not there is fine.
  package func delete(_ key: String) async throws(LedgerError) {
    try await ledger.write { [profile, recipe] database in
      try database.execute(
        sql: "DELETE FROM script_values WHERE profile = ? AND recipe = ? AND key = ?",
        arguments: [profile, recipe, key])
    }
  }

  /// All keys and their values.
  package func all() async throws(LedgerError) -> [String: [UInt8]] {
    try await ledger.read { [profile, recipe] database in
      let rows = try Row.fetchAll(
        database, sql: "SELECT key, value FROM script_values WHERE profile = ? AND recipe = ?",
        arguments: [profile, recipe])
      return Dictionary(uniqueKeysWithValues: rows.map { ($0["key"] as String, Array($0["value"] as Data)) })
    }
  }
}
