import CLuaBridge

// Pushing values for a script, one after another: results, or arguments.
extension LuaCall {
  /// Counts a value and sees to it that the stack has room for it and for what it is built from.
  @inlinable
  mutating func reserve() {
    pushed += 1
    if pushed & 7 == 0 { lua_checkstack(stack.state, 20) }
  }

  /// Pushes nil.
  @inlinable
  package mutating func pushNil() {
    reserve()
    lua_pushnil(stack.state)
  }

  /// Pushes a boolean.
  @inlinable
  package mutating func push(_ value: Bool) {
    reserve()
    lua_pushboolean(stack.state, value ? 1 : 0)
  }

  /// Pushes an integer.
  @inlinable
  package mutating func push(_ value: Int64) {
    reserve()
    lua_pushinteger(stack.state, value)
  }

  /// Pushes an integer.
  @inlinable
  package mutating func push(_ value: Int) {
    reserve()
    lua_pushinteger(stack.state, Int64(value))
  }

  /// Pushes a float.
  @inlinable
  package mutating func push(_ value: Double) {
    reserve()
    lua_pushnumber(stack.state, value)
  }

  /// Pushes a string.
  ///
  /// - Throws: `LuaValueError` when the script's memory has no room for it.
  package mutating func push(_ value: String) throws {
    reserve()
    try pushText(value, on: stack.state)
  }

  /// Pushes a string of any bytes.
  ///
  /// - Throws: `LuaValueError` when the script's memory has no room for it.
  package mutating func push(_ value: UnsafeRawBufferPointer) throws {
    reserve()
    try pushBytes(value, on: stack.state)
  }

  /// Pushes a string of any bytes.
  ///
  /// - Throws: `LuaValueError` when the script's memory has no room for it.
  package mutating func push(_ value: [UInt8]) throws {
    try value.withUnsafeBytes { try push($0) }
  }

  /// Pushes a function of the same script.
  package mutating func push(_ value: LuaFunction) throws {
    reserve()
    try stack.machine.push(value.reference, on: stack.state)
  }

  /// Pushes a host object.
  package mutating func push(_ value: LuaObject) {
    reserve()
    stack.machine.push(value, on: stack.state)
  }

  /// Pushes a boxed value.
  ///
  /// - Throws: `LuaValueError` when it nests too deep, belongs to another script, has a key that is not
  ///   a number, or finds no room in the script's memory.
  package mutating func push(_ value: LuaValue) throws {
    reserve()
    try stack.machine.push(value, on: stack.state)
  }

  /// Pushes a table that the closure fills.
  ///
  /// - Parameters:
  ///   - list: How many values without a key it will have.
  ///   - fields: How many fields it will have.
  package mutating func pushTable(
    list: Int = 0, fields: Int = 0, _ fill: (inout LuaTableWriter) throws -> Void
  ) throws {
    reserve()
    lua_checkstack(stack.state, 20)
    lua_createtable(stack.state, Int32(clamping: list), Int32(clamping: fields))
    var writer = LuaTableWriter(state: stack.state, machine: stack.machine)
    try fill(&writer)
  }
}

/// Fills a new table in a script.
package struct LuaTableWriter: ~Copyable {
  let state: OpaquePointer
  unowned(unsafe) let machine: LuaMachine
  private var appended: Int64 = 0

  init(state: OpaquePointer, machine: LuaMachine) {
    self.state = state
    self.machine = machine
  }

  /// Sets a field to a string.
  package mutating func set(_ name: StaticString, _ value: String) throws {
    try pushText(value, on: state)
    store(name)
  }

  /// Sets a field to an integer.
  package mutating func set(_ name: StaticString, _ value: Int64) {
    lua_pushinteger(state, value)
    store(name)
  }

  /// Sets a field to an integer.
  package mutating func set(_ name: StaticString, _ value: Int) { set(name, Int64(value)) }

  /// Sets a field to a float.
  package mutating func set(_ name: StaticString, _ value: Double) {
    lua_pushnumber(state, value)
    store(name)
  }

  /// Sets a field to a boolean.
  package mutating func set(_ name: StaticString, _ value: Bool) {
    lua_pushboolean(state, value ? 1 : 0)
    store(name)
  }

  /// Sets a field to a boxed value.
  package mutating func set(_ name: StaticString, _ value: LuaValue) throws {
    try machine.push(value, on: state)
    store(name)
  }

  /// Sets a field whose name is only known at run time.
  package mutating func set(key: String, _ value: LuaValue) throws {
    try machine.push(key, on: state)
    do { try machine.push(value, on: state) } catch {
      clb_pop(state, 1)
      throw error
    }
    lua_rawset(state, -3)
  }

  /// Adds a value at the end of the list.
  package mutating func append(_ value: LuaValue) throws {
    try machine.push(value, on: state)
    appended += 1
    lua_rawseti(state, -2, appended)
  }

  /// A literal's address is what Lua's cache of strings goes by, and it ends in a zero byte.
  private func store(_ name: StaticString) {
    name.utf8Start.withMemoryRebound(to: CChar.self, capacity: name.utf8CodeUnitCount + 1) {
      lua_setfield(state, -2, $0)
    }
  }
}
