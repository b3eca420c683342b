import CLuaBridge

/// Functions with which a script does several things at once.
package enum LuaTasks {
  /// `all` and `timeout`, as part of a module.
  ///
  /// `all { f, g, h }` calls the functions together, each as a coroutine, and returns the first result
  /// of each in order. When one raises, the others are cancelled and the error is raised. `timeout(seconds, f)`
  /// returns what `f` returns, or cancels it and raises an error whose `code` is `"timeout"`.
  ///
  /// - Parameters:
  ///   - path: The module, usually `moontide`.
  ///   - sleep: Sleeps for a duration, by the clock that the script lives by.
  package static func module(
    _ path: String, sleep: @escaping @Sendable (Duration) async throws -> Void
  ) -> LuaModule {
    LuaModule(path) { module in
      module.waiting("all") { call in
        let machine = call.stack.machine
        try machine.requireRoom(for: call.listLength(1))  // before all of them are looked at
        let functions = try functions(call)
        machine.reserveChildren(functions.count)
        return .calling { calls in try await all(functions, calls) }
      }
      module.waiting("timeout") { call in
        let seconds = try call.finite(1, in: 0...)
        let function = try call.function(2)
        return .calling { calls in try await timeout(seconds, function, calls, sleep) }
      }
    }
  }

  private static func functions(_ call: borrowing LuaCall) throws -> [LuaFunction] {
    let fields = try call.fields(1)
    guard fields.table.fields.isEmpty else {
      throw LuaValueError(
        place: "\(call.name): argument #1", wanted: "list of functions",
        got: "a table with a key or a hole: \(fields.table.fields.keys.map(\.description).sorted()[0])")
    }
    return try fields.table.array.enumerated().map { index, value in
      guard let function = value.function else {
        throw LuaValueError(
          place: "\(call.name): argument #1[\(index + 1)]", wanted: "function", got: value.summary,
          hint: "pass the functions themselves, without calling them")
      }
      return function
    }
  }

  private static func all(_ functions: [LuaFunction], _ calls: LuaCalls) async throws -> [LuaValue] {
    try await withThrowingTaskGroup(of: (Int, LuaValue).self) { group in
      for (index, function) in functions.enumerated() {
        // At once, so that they begin in their order.
        group.addImmediateTask { (index, try await calls.call(function).first ?? .nil) }
      }
      var results = [LuaValue](repeating: .nil, count: functions.count)
      for try await (index, value) in group { results[index] = value }
      return results
    }
  }

  private static func timeout(
    _ seconds: Double, _ function: LuaFunction, _ calls: LuaCalls,
    _ sleep: @escaping @Sendable (Duration) async throws -> Void
  ) async throws -> [LuaValue] {
    try await withThrowingTaskGroup(of: [LuaValue]?.self) { group in
      group.addTask { try await calls.call(function) }
      group.addTask {
        try await sleep(.seconds(min(seconds, 1e9)))
        return nil
      }
      defer { group.cancelAll() }
      guard let values = try await group.next() ?? nil else { throw LuaTimeout(seconds: seconds) }
      return values
    }
  }
}

extension LuaCall {
  /// How many values a list has, 0 where there is none. Costs nothing, unlike a copy of it.
  fileprivate func listLength(_ index: Int) -> Int {
    stack.type(index) == LUA_TTABLE ? Int(lua_rawlen(stack.state, stack.slot(index))) : 0
  }
}

/// A function took longer than `timeout` allowed.
package struct LuaTimeout: LuaErrorFields, Equatable, CustomStringConvertible {
  /// How long it was allowed to take.
  package var seconds: Double

  package var description: String { "timed out after \(seconds) seconds" }

  package func luaField(_ name: String) -> LuaValue? {
    switch name {
    case "code": "timeout"
    case "seconds": .number(seconds)
    default: nil
    }
  }
}
