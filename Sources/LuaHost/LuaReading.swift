import CLuaBridge

// Reading values: arguments in order of their position, or results; both are counted from 1.
//
// Every accessor throws a `LuaValueError` that names the function, the position, what came and what
// was wanted. Nothing is converted silently: a number is no string, `3.5` is no integer.
extension LuaCall {
  /// How many values there are, nils at the end included.
  package var count: Int { stack.count }

  /// Whether there is a value other than nil.
  package func has(_ index: Int) -> Bool { stack.has(index) }

  /// Lua's name of a value's type: `no value` where there is none.
  package func typeName(_ index: Int) -> String {
    let type = stack.type(index)
    return type == LUA_TUSERDATA
      ? stack.machine.objectName(stack.state, stack.slot(index))
      : String(cString: lua_typename(stack.state, type))
  }

  /// Any value, boxed.
  package func value(_ index: Int) throws -> LuaValue {
    guard index <= count else { return .nil }
    do {
      return try stack.machine.value(stack.state, at: stack.slot(index))
    } catch let error as LuaConversionFailure {
      throw LuaValueError(place: stack.place(index), problem: error.problem)
    }
  }

  /// All values, boxed.
  package func values() throws -> [LuaValue] {
    guard count > 0 else { return [] }
    return try (1...count).map { try value($0) }
  }

  /// A boolean.
  package func boolean(_ index: Int) throws -> Bool {
    guard stack.type(index) == LUA_TBOOLEAN else { throw stack.error(index, wanted: "boolean") }
    return lua_toboolean(stack.state, stack.slot(index)) != 0
  }

  /// An integer, or a float without a fraction that fits in 64 bits.
  @inlinable
  package func integer(_ index: Int) throws -> Int64 {
    let slot = stack.slot(index)
    if index <= stack.count, lua_isinteger(stack.state, slot) != 0 {
      return clb_to_integer(stack.state, slot)
    }
    return try exactInteger(index)
  }

  @usableFromInline
  func exactInteger(_ index: Int) throws -> Int64 {
    guard stack.type(index) == LUA_TNUMBER,
      let exact = Int64(exactly: clb_to_number(stack.state, stack.slot(index)))
    else { throw stack.error(index, wanted: "integer") }
    return exact
  }

  /// An integer within bounds.
  package func int(_ index: Int, in range: ClosedRange<Int>) throws -> Int {
    let wanted =
      range.upperBound == .max
      ? "integer of at least \(range.lowerBound)" : "integer from \(range.lowerBound) to \(range.upperBound)"
    guard stack.type(index) == LUA_TNUMBER, let value = try? integer(index), range.contains(Int(value)) else {
      throw stack.error(index, wanted: wanted)
    }
    return Int(value)
  }

  /// A number of either subtype, also one that is not finite.
  package func number(_ index: Int) throws -> Double {
    guard stack.type(index) == LUA_TNUMBER else { throw stack.error(index, wanted: "number") }
    return clb_to_number(stack.state, stack.slot(index))
  }

  /// A finite number within bounds, such as a number of seconds.
  package func finite(_ index: Int, in range: PartialRangeFrom<Double> = (-.infinity)...) throws -> Double {
    let value = try number(index)
    guard value.isFinite, range.contains(value) else {
      throw stack.error(
        index,
        wanted: range.lowerBound == -.infinity
          ? "finite number" : "finite number of at least \(range.lowerBound)")
    }
    return value
  }

  /// The bytes of a string.
  package func bytes(_ index: Int) throws -> [UInt8] {
    try withBytes(index) { Array($0) }
  }

  /// The bytes of a string, in place.
  package func withBytes<Result>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) throws
    -> Result
  {
    // Checked first, since Lua would turn a number into a string in place.
    guard stack.type(index) == LUA_TSTRING else { throw stack.error(index, wanted: "string") }
    var count = 0
    let start = lua_tolstring(stack.state, stack.slot(index), &count)
    return try body(UnsafeRawBufferPointer(start: start, count: count))
  }

  /// A string that is valid UTF-8.
  package func string(_ index: Int) throws -> String {
    let text = try withBytes(index) { bytes in
      // Checking text in general costs more than the rest of a call.
      bytes.count <= 64 && bytes.allSatisfy { $0 < 0x80 }
        ? String(decoding: bytes, as: UTF8.self) : String(validating: bytes, as: UTF8.self)
    }
    guard let text else { throw stack.error(index, wanted: "UTF-8 text") }
    return text
  }

  /// A copy of a table.
  package func table(_ index: Int) throws -> LuaTable {
    guard stack.type(index) == LUA_TTABLE else { throw stack.error(index, wanted: "table") }
    return try value(index).table ?? LuaTable()
  }

  /// A copy of a table, with accessors for its named fields.
  package func fields(_ index: Int) throws -> LuaFields {
    LuaFields(try table(index), place: stack.place(index))
  }

  /// A function.
  package func function(_ index: Int) throws -> LuaFunction {
    guard stack.type(index) == LUA_TFUNCTION else { throw stack.error(index, wanted: "function") }
    return LuaFunction(reference: stack.machine.reference(stack.state, at: stack.slot(index)))
  }

  /// Any value, left in the script.
  package func reference(_ index: Int) -> LuaReference {
    stack.machine.reference(stack.state, at: stack.slot(index))
  }

  /// The Swift value of a host object.
  package func object<Value: Sendable>(
    _ index: Int, as type: Value.Type = Value.self, named name: String? = nil
  ) throws -> Value {
    guard let object = objectIfAny(index), let value = object.value as? Value else {
      throw stack.error(index, wanted: name ?? String(describing: type))
    }
    return value
  }

  /// The host object at an index, if there is one.
  package func objectIfAny(_ index: Int) -> LuaObject? {
    index <= count ? stack.machine.object(stack.state, at: stack.slot(index)) : nil
  }

  /// The Swift error at an index, if one that came through the script is there.
  package func errorIfAny(_ index: Int) -> (any Error)? {
    index <= count ? stack.machine.swiftError(stack.state, at: stack.slot(index)) : nil
  }
}

extension LuaCall {
  /// A boolean, or nil where nothing was given.
  package func optionalBoolean(_ index: Int) throws -> Bool? { has(index) ? try boolean(index) : nil }

  /// An integer within bounds, or nil where nothing was given.
  package func optionalInt(_ index: Int, in range: ClosedRange<Int>) throws -> Int? {
    has(index) ? try int(index, in: range) : nil
  }

  /// A finite number within bounds, or nil where nothing was given.
  package func optionalFinite(_ index: Int, in range: PartialRangeFrom<Double> = (-.infinity)...) throws
    -> Double?
  {
    has(index) ? try finite(index, in: range) : nil
  }

  /// UTF-8 text, or nil where nothing was given.
  package func optionalString(_ index: Int) throws -> String? { has(index) ? try string(index) : nil }

  /// The bytes of a string, or nil where nothing was given.
  package func optionalBytes(_ index: Int) throws -> [UInt8]? { has(index) ? try bytes(index) : nil }

  /// The named fields of a table; none where nothing was given.
  package func optionalFields(_ index: Int) throws -> LuaFields {
    has(index) ? try fields(index) : LuaFields(LuaTable(), place: stack.place(index))
  }

  /// A function, or nil where nothing was given.
  package func optionalFunction(_ index: Int) throws -> LuaFunction? {
    has(index) ? try function(index) : nil
  }
}
