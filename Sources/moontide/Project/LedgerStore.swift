import LuaLibrary
import SQLiteLedger

/// `moontide.store` in the ledger.
struct LedgerStore: ScriptStore {
  let values: RecipeValues

  func get(_ key: String) async throws -> [UInt8]? { try await values.get(key) }
  func set(_ key: String, _ value: [UInt8]) async throws { try await values.set(key, value) }
  func delete(_ key: String) async throws { try await values.delete(key) }
  func all() async throws -> [String: [UInt8]] { try await values.all() }
}
