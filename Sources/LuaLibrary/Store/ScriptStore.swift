import Synchronization

/// What one recipe keeps from run to run: values by key. It outlives the process where it is to be durable.
///
/// Safe to call from many tasks at once; a `get` after a `set` that returned gives what was set.
package protocol ScriptStore: Sendable {
  /// The value of a key, JSON in UTF-8; nil when there is none.
  func get(_ key: String) async throws -> [UInt8]?
  /// Sets the value of a key.
  func set(_ key: String, _ value: [UInt8]) async throws
  /// Removes a key; one that is not there is fine.
  func delete(_ key: String) async throws
  /// All keys and their values.
  func all() async throws -> [String: [UInt8]]
}

/// The edges of a script's store: it is for marks and counters, not for content.
package enum ScriptStoreLimits {
  /// Bytes of a key.
  package static let key = 512
  /// Bytes of a value, as JSON.
  package static let value = 1 << 20
}

/// A store that is gone with the process, for dry runs and tests.
package final class MemoryScriptStore: ScriptStore {
  private let values = Mutex<[String: [UInt8]]>([:])

  package init() {}

  package func get(_ key: String) async throws -> [UInt8]? { values.withLock { $0[key] } }
  package func set(_ key: String, _ value: [UInt8]) async throws { values.withLock { $0[key] = value } }
  package func delete(_ key: String) async throws { values.withLock { $0[key] = nil } }
  package func all() async throws -> [String: [UInt8]] { values.withLock { $0 } }
}
