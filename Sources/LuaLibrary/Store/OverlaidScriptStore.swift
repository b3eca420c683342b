import Synchronization

/// A store whose changes are kept in memory, over one that is only read.
package final class OverlaidScriptStore: ScriptStore {
  private let base: (any ScriptStore)?
  /// What was set, or deleted (nil).
  private let changes = Mutex<[String: [UInt8]?]>([:])

  package init(over base: (any ScriptStore)?) {
    self.base = base
  }

  package func get(_ key: String) async throws -> [UInt8]? {
    if let change = changes.withLock({ $0[key] }) { return change }
    return try await base?.get(key)
  }

  package func set(_ key: String, _ value: [UInt8]) async throws {
    changes.withLock { $0[key] = .some(value) }
  }

  package func delete(_ key: String) async throws {
    changes.withLock { $0[key] = .some(nil) }
  }

  package func all() async throws -> [String: [UInt8]] {
    var values = try await base?.all() ?? [:]
    for (key, change) in changes.withLock({ $0 }) { values[key] = change }
    return values
  }
}
