import Ingestion
import LuaLibrary
import SQLiteLedger
import Scripting

/// What a script keeps, with an instant before and after each durable write.
struct CrashingStore: ScriptStore {
  let base: RecipeValues
  let points: CrashPoints

  func get(_ key: String) async throws -> [UInt8]? { try await base.get(key) }
  func all() async throws -> [String: [UInt8]] { try await base.all() }

  func set(_ key: String, _ value: [UInt8]) async throws {
    try await points.around("set") { () async throws in try await base.set(key, value) }
  }

  func delete(_ key: String) async throws {
    try await points.around("delete") { () async throws in try await base.delete(key) }
  }
}

extension OnceRecord {
  /// The ledger's record, with an instant before and after each durable write, and the journal told between them.
  static func crashing(_ ledger: SQLiteLedger, _ points: CrashPoints, _ journal: Int32) -> OnceRecord {
    OnceRecord(
      recall: { key, label in try await ledger.onceResult(of: key, label: label) },
      record: { key, label, result in
        try await points.around("once") { () async throws in
          try await ledger.recordOnce(result, of: key, label: label)
          append("recorded \(key.path)\n", to: journal)
        }
      })
  }
}
