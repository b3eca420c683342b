/// What a waiting host function waits for.
///
/// The closure runs on the script's thread until it first suspends, so that one which has its result
/// already costs next to nothing. It must not block: long work belongs to another actor or executor.
/// It is cancelled with the call that waits for it, and should then end soon, with or without an error.
package struct LuaOperation: Sendable {
  let run: nonisolated(nonsending) @Sendable () async throws -> [LuaValue]

  /// An operation whose results resume the script; an error that it throws is raised there.
  package init(_ run: nonisolated(nonsending) @escaping @Sendable () async throws -> [LuaValue]) {
    self.run = run
  }
}
