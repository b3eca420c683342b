import CLuaBridge

/// A part of a coroutine's stack: arguments, or results.
///
/// Only good until the function that got it returns; that is why it is reached through types that
/// cannot be copied.
@usableFromInline
package struct LuaStack {
  @usableFromInline let state: OpaquePointer
  @usableFromInline unowned(unsafe) let machine: LuaMachine
  /// The index below the first value.
  @usableFromInline let base: Int32
  @usableFromInline let count: Int
  /// The host function whose arguments these are, or -1 where they are a script's results.
  @usableFromInline let function: Int32
  // Plain numbers and unowned references only: a copy of this costs no reference counting, and one is
  // made for every host function that a script calls.

  init(state: OpaquePointer, machine: LuaMachine, base: Int32, count: Int, function: Int32) {
    self.state = state
    self.machine = machine
    self.base = base
    self.count = count
    self.function = function
  }

  /// The stack of a call that was begun, for its arguments.
  @inline(__always)
  init(pushingFor call: UnsafeMutablePointer<clb_call>, _ machine: LuaMachine) {
    state = call.pointee.coroutine
    self.machine = machine
    base = 0
    count = 0
    function = -1
  }

  /// The stack of a call that has returned, for its results.
  @inline(__always)
  init(readingFrom call: UnsafeMutablePointer<clb_call>, _ machine: LuaMachine) {
    state = call.pointee.coroutine
    self.machine = machine
    base = 0
    count = Int(call.pointee.results)
    function = -1
  }

  /// The absolute index of a value counted from 1.
  @inlinable
  func slot(_ index: Int) -> Int32 { base &+ Int32(truncatingIfNeeded: index) }

  /// Whether there is a value other than nil at an index.
  func has(_ index: Int) -> Bool {
    index <= count && lua_type(state, slot(index)) > LUA_TNIL
  }

  func type(_ index: Int) -> Int32 {
    index <= count ? lua_type(state, slot(index)) : LUA_TNONE
  }

  /// What messages call a value: `moontide.sleep: argument #1`, `rename of a.md: result 1`.
  func place(_ index: Int) -> String {
    if function >= 0 { return "\(machine.functions[Int(function)].name): argument #\(index)" }
    return (machine.reading?.label.map { "\($0): " } ?? "") + "result \(index)"
  }

  func error(_ index: Int, wanted: String, hint: String? = nil) -> LuaValueError {
    LuaValueError(place: place(index), wanted: wanted, got: got(index), hint: hint)
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
