import CLuaBridge

/// A call of a host function: reads its arguments, takes its results.
///
/// Arguments are counted from 1, the object of a method not included. Read them before pushing.
///
/// The same type serves for calls in the other direction (`LuaArguments`, `LuaResults`), so that its
/// accessors are plain functions: generic ones are not specialized across modules, and cost more than
/// the call itself. The shortest are inlined across modules, for which the type must be usable from there.
@usableFromInline
package struct LuaCall: ~Copyable {
  @usableFromInline let stack: LuaStack
  /// How many values have been pushed.
  @usableFromInline var pushed: Int32

  @inline(__always)
  init(stack: LuaStack) {
    self.stack = stack
    pushed = 0
  }

  /// The function's name as scripts know it: `moontide.fs.read`, `file:read`.
  package var name: String {
    stack.function >= 0 ? stack.machine.functions[Int(stack.function)].name : ""
  }

  /// What the caller of the handler that is running named it, if it did.
  package var label: String? { stack.machine.running?.label }

  /// Where the script called the function; nil where that is no line of a script.
  package var place: LuaPlace? {
    guard lua_checkstack(stack.state, 4) != 0 else { return nil }
    var place = clb_place()
    clb_find_place(stack.state, &place)
    return stack.machine.scriptPlace(place)
  }

  /// The object that a method or property belongs to.
  func receiver<Object: Sendable>() throws -> Object {
    if let object = stack.machine.object(stack.state, at: 1), let value = object.value as? Object {
      return value
    }
    let method = name.split(separator: ":").last.map(String.init) ?? name
    let type = name.split(separator: ":").first.map(String.init) ?? "object"
    throw LuaValueError(
      place: name, problem: "it was not called on a \(type)",
      hint: "use a colon: \(type):\(method)(), not \(type).\(method)()")
  }

  /// Calls a function of the script and gives its first result.
  ///
  /// The function runs under the limits of the call and cannot wait. Prefer functions written in Lua
  /// (`LuaModule.script`) for anything that should be able to.
  ///
  /// - Throws: What the function raised: the same Swift error, or a `LuaError`.
  package func call(_ function: LuaFunction, _ arguments: [LuaValue] = []) throws -> LuaValue {
    try stack.machine.callNested(stack.state, function, arguments)
  }
}

/// The arguments of a call from Swift into a script, to be pushed in order.
package typealias LuaArguments = LuaCall

/// What a function of a script returned, to be read.
package typealias LuaResults = LuaCall
