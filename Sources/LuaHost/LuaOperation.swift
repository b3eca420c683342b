/// What a waiting host function waits for.
///
/// The closure runs on the script's thread until it first suspends, so that one which has its result
/// already costs next to nothing. It must not block: long work belongs to another actor or executor.
/// It is cancelled with the call that waits for it, and should then end soon, with or without an error.
package struct LuaOperation: Sendable {
  typealias Run = nonisolated(nonsending) @Sendable () async throws -> [LuaValue]

  enum Body: Sendable {
    case plain(Run)
    case withCalls(@Sendable (LuaCalls) async throws -> [LuaValue])
  }

  let body: Body

  /// An operation whose results resume the script; an error that it throws is raised there.
  package init(_ run: nonisolated(nonsending) @escaping @Sendable () async throws -> [LuaValue]) {
    body = .plain(run)
  }

  /// An operation that calls functions of the script while the script's own call waits.
  package static func calling(_ run: @escaping @Sendable (LuaCalls) async throws -> [LuaValue])
    -> LuaOperation
  {
    LuaOperation(body: .withCalls(run))
  }

  private init(body: Body) { self.body = body }
}

/// Lets a waiting operation call functions of the script that waits for it.
///
/// The calls use up the allowance of the one that waits, and are stopped with it.
package struct LuaCalls: Sendable {
  let script: LuaScript
  let parent: LuaCallHandle

  /// Calls a function of the script as a coroutine of its own, which may wait as well.
  ///
  /// - Returns: What it returned. Tables and the like stay in the script (`LuaValue.reference`), so that
  ///   they are the same tables when they are handed back.
  /// - Throws: What the function raised. Thrown on out of the operation, it is raised again unchanged.
  package func call(_ function: LuaFunction, _ arguments: [LuaValue] = []) async throws -> [LuaValue] {
    try await script.callWithin(parent, function, arguments)
  }
}

/// A call in progress, for others to refer to.
struct LuaCallHandle: @unchecked Sendable {
  // Unchecked: only the script's actor looks inside, on its thread.
  let invocation: LuaInvocation
}

/// What a function of the script raised, on its way to be raised again in the same script.
struct LuaRaisedValue: Error {
  let value: LuaReference
  let error: LuaError
}
