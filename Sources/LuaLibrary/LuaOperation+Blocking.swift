import LuaHost
import Workspace

extension LuaOperation {
  /// Work that blocks, done on a thread that may while the script waits.
  package static func blocking(_ work: @escaping @Sendable () throws -> [LuaValue]) -> LuaOperation {
    LuaOperation { try await offload(work) }
  }
}
