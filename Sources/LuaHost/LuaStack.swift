import CLuaBridge

/// A part of a coroutine's stack: arguments, or results.
///
/// Only good until the function that got it returns; that is why it is reached through types that
/// cannot be copied.
package struct LuaStack {
  let state: OpaquePointer
  unowned(unsafe) let machine: LuaMachine
  /// The index below the first value.
  let base: Int32
  let count: Int
  /// What messages call a value: `moontide.sleep: argument #`, `rename: result `.
  let place: LuaPlace

  /// The absolute index of a value counted from 1.
  func slot(_ index: Int) -> Int32 { base + Int32(truncatingIfNeeded: index) }

  /// Whether there is a value other than nil at an index.
  func has(_ index: Int) -> Bool {
    index <= count && lua_type(state, slot(index)) > LUA_TNIL
  }

  func type(_ index: Int) -> Int32 {
    index <= count ? lua_type(state, slot(index)) : LUA_TNONE
  }

  func error(_ index: Int, wanted: String, hint: String? = nil) -> LuaValueError {
    LuaValueError(place: place.text(index), wanted: wanted, got: got(index), hint: hint)
  }

  private func got(_ index: Int) -> String {
    guard index <= count else { return "nothing" }
    let slot = slot(index)
    switch lua_type(state, slot) {
    case LUA_TNIL: return "nil"
    case LUA_TBOOLEAN: return lua_toboolean(state, slot) != 0 ? "boolean true" : "boolean false"
    case LUA_TNUMBER:
      return lua_isinteger(state, slot) != 0
        ? "number \(clb_to_integer(state, slot))" : "number \(clb_to_number(state, slot))"
    case LUA_TSTRING: return "string \(quoted(machine.bytes(state, slot)))"
    case LUA_TUSERDATA: return machine.objectName(state, slot)
    case let type: return String(cString: lua_typename(state, type))
    }
  }
}

/// What messages call the values of a `LuaStack`.
enum LuaPlace {
  /// Of a host function or method with this name.
  case argument(String)
  /// Of a script's function that the caller labelled.
  case result(String?)

  func text(_ index: Int) -> String {
    switch self {
    case .argument(let function): "\(function): argument #\(index)"
    case .result(let label): (label.map { "\($0): " } ?? "") + "result \(index)"
    }
  }
}
