import CLuaBridge

/// Why a value cannot be converted; the caller adds where it stood.
struct LuaConversionFailure: Error {
  let problem: String
}

/// How deep tables may nest when they are copied into or out of a script.
private let deepest = 100
/// How many values one conversion copies: a table that refers to another one twice, and that one to a
/// third one twice, would otherwise grow without end.
private let mostValues = 4_000_000

// Everything here runs while `in_swift` is set: the allocator ignores the cap, so nothing raises.
// That is cheaper than a protected call for each value; the cap is checked for long strings before
// they are pushed, and for the rest when the host function returns.
extension LuaMachine {
  // MARK: Out of the script

  /// Converts the value at an absolute index.
  func value(_ state: OpaquePointer, at index: Int32) throws -> LuaValue {
    var left = mostValues
    var bytesLeft = max(host.pointee.limit, 1 << 20)
    return try value(state, at: index, depth: 0, left: &left, bytesLeft: &bytesLeft)
  }

  private func value(
    _ state: OpaquePointer, at index: Int32, depth: Int, left: inout Int, bytesLeft: inout Int
  ) throws -> LuaValue {
    left -= 1
    guard left > 0 else { throw LuaConversionFailure(problem: "the table has too many values to be copied") }
    switch lua_type(state, index) {
    case LUA_TNONE, LUA_TNIL: return .nil
    case LUA_TBOOLEAN: return .boolean(lua_toboolean(state, index) != 0)
    case LUA_TNUMBER:
      return lua_isinteger(state, index) != 0
        ? .integer(clb_to_integer(state, index)) : .number(clb_to_number(state, index))
    case LUA_TSTRING:
      let bytes = bytes(state, index)
      bytesLeft -= bytes.count
      guard bytesLeft >= 0 else {
        throw LuaConversionFailure(problem: "the table has too many bytes to be copied")
      }
      return .string(LuaString(bytes: bytes))
    case LUA_TTABLE:
      return .table(try table(state, at: index, depth: depth, left: &left, bytesLeft: &bytesLeft))
    case LUA_TFUNCTION: return .function(LuaFunction(reference: reference(state, at: index)))
    case LUA_TUSERDATA:
      if let object = object(state, at: index) { return .object(object) }
      return .reference(reference(state, at: index))
    default: return .reference(reference(state, at: index))
    }
  }

  private func table(
    _ state: OpaquePointer, at index: Int32, depth: Int, left: inout Int, bytesLeft: inout Int
  ) throws -> LuaTable {
    guard depth < deepest, lua_checkstack(state, 4) != 0 else {
      throw LuaConversionFailure(problem: "the table refers to itself or nests deeper than \(deepest) levels")
    }
    let top = lua_gettop(state)
    defer { lua_settop(state, top) }
    var table = LuaTable()
    var next: Int64 = 1
    while lua_rawgeti(state, index, next) != LUA_TNIL {
      table.array.append(try value(state, at: top + 1, depth: depth + 1, left: &left, bytesLeft: &bytesLeft))
      lua_settop(state, top)
      next += 1
    }
    lua_settop(state, top)
    lua_pushnil(state)
    while lua_next(state, index) != 0 {
      if lua_isinteger(state, top + 1) != 0 {
        let key = clb_to_integer(state, top + 1)
        if key >= 1, key < next {
          lua_settop(state, top + 1)
          continue
        }
      }
      let key = try key(state, at: top + 1)
      table.fields[key] = try value(state, at: top + 2, depth: depth + 1, left: &left, bytesLeft: &bytesLeft)
      lua_settop(state, top + 1)
    }
    return table
  }

  private func key(_ state: OpaquePointer, at index: Int32) throws -> LuaKey {
    switch lua_type(state, index) {
    case LUA_TBOOLEAN: return .boolean(lua_toboolean(state, index) != 0)
    case LUA_TNUMBER:
      return lua_isinteger(state, index) != 0
        ? .integer(clb_to_integer(state, index)) : .number(clb_to_number(state, index))
    case LUA_TSTRING: return .string(LuaString(bytes: bytes(state, index)))
    case let type:
      throw LuaConversionFailure(
        problem:
          "the table has a \(String(cString: lua_typename(state, type))) as a key, use strings or numbers")
    }
  }

  /// The bytes of a value that is a string.
  func bytes(_ state: OpaquePointer, _ index: Int32) -> [UInt8] {
    var count = 0
    guard let start = lua_tolstring(state, index, &count) else { return [] }
    return Array(UnsafeRawBufferPointer(start: start, count: count))
  }

  /// Keeps the value at an index.
  func reference(_ state: OpaquePointer, at index: Int32) -> LuaReference {
    let name = String(cString: lua_typename(state, lua_type(state, index)))
    lua_checkstack(state, 4)
    lua_pushvalue(state, index)
    return LuaReference(slot: clb_ref(state), releases: releases, typeName: name)
  }

  /// The host object at an index.
  func object(_ state: OpaquePointer, at index: Int32) -> LuaObject? {
    guard let object = clb_to_object(state, index), object.pointee.type != CLB_TYPE_ERROR,
      let swift = object.pointee.swift
    else { return nil }
    // Every userdata whose type is not that of errors was made from a LuaObject.
    return Unmanaged<LuaObject>.fromOpaque(swift).takeUnretainedValue()
  }

  /// The Swift error at an index.
  func swiftError(_ state: OpaquePointer, at index: Int32) -> (any Error)? {
    errorBox(state, at: index)?.error
  }

  func errorBox(_ state: OpaquePointer, at index: Int32) -> LuaErrorBox? {
    guard let object = clb_to_object(state, index), object.pointee.type == CLB_TYPE_ERROR,
      let swift = object.pointee.swift
    else { return nil }
    return Unmanaged<LuaErrorBox>.fromOpaque(swift).takeUnretainedValue()
  }

  /// What messages call a userdata.
  func objectName(_ state: OpaquePointer, _ index: Int32) -> String {
    object(state, at: index)?.typeName ?? (swiftError(state, at: index) == nil ? "userdata" : "error")
  }

  // MARK: Into the script

  func push(_ value: LuaValue, on state: OpaquePointer) throws {
    try push(value, on: state, depth: 0)
  }

  private func push(_ value: LuaValue, on state: OpaquePointer, depth: Int) throws {
    switch value {
    case .nil: lua_pushnil(state)
    case .boolean(let value): lua_pushboolean(state, value ? 1 : 0)
    case .integer(let value): lua_pushinteger(state, value)
    case .number(let value): lua_pushnumber(state, value)
    case .string(let string): try string.bytes.withUnsafeBytes { try push($0, on: state) }
    case .table(let table): try push(table, on: state, depth: depth)
    case .function(let function): try push(function.reference, on: state)
    case .object(let object): push(object, on: state)
    case .reference(let reference): try push(reference, on: state)
    }
  }

  private func push(_ table: LuaTable, on state: OpaquePointer, depth: Int) throws {
    guard depth < deepest, lua_checkstack(state, 6) != 0 else {
      throw LuaValueError(place: "a table for the script", problem: "it nests deeper than \(deepest) levels")
    }
    let top = lua_gettop(state)
    lua_createtable(state, Int32(clamping: table.array.count), Int32(clamping: table.fields.count))
    do {
      for (index, value) in table.array.enumerated() {
        try push(value, on: state, depth: depth + 1)
        lua_rawseti(state, top + 1, Int64(index + 1))
      }
      for (key, value) in table.fields {
        switch key {
        case .boolean(let key): lua_pushboolean(state, key ? 1 : 0)
        case .integer(let key): lua_pushinteger(state, key)
        case .number(let key):
          // The one key besides nil that Lua refuses.
          guard !key.isNaN else {
            throw LuaValueError(place: "a table for the script", problem: "a key is not a number (NaN)")
          }
          lua_pushnumber(state, key)
        case .string(let key): try key.bytes.withUnsafeBytes { try push($0, on: state) }
        }
        try push(value, on: state, depth: depth + 1)
        lua_rawset(state, top + 1)
      }
    } catch {
      lua_settop(state, top)
      throw error
    }
  }

  func push(_ text: String, on state: OpaquePointer) throws { try pushText(text, on: state) }

  func push(_ bytes: UnsafeRawBufferPointer, on state: OpaquePointer) throws {
    try pushBytes(bytes, on: state)
  }

  func push(_ reference: LuaReference, on state: OpaquePointer) throws {
    guard reference.owner == identity else { throw foreign(reference) }
    clb_push_ref(state, reference.slot)
  }

  /// What is said of a value that belongs to another script.
  func foreign(_ reference: LuaReference) -> LuaValueError {
    LuaValueError(place: "a \(reference.typeName) for the script", problem: "it belongs to another script")
  }

  func push(_ object: LuaObject, on state: OpaquePointer) {
    let type = object.type.map(typeNumber) ?? Int32(CLB_TYPE_OPAQUE)
    clb_push_object(state, Unmanaged.passRetained(object).toOpaque(), type)
  }

  /// Pushes an error, so that the very same comes out again.
  func push(error: any Error, on state: OpaquePointer) {
    lua_checkstack(state, 4)
    var place = clb_place()
    clb_find_place(state, &place)
    let box = LuaErrorBox(error, at: scriptPlace(place))
    clb_push_object(state, Unmanaged.passRetained(box).toOpaque(), Int32(CLB_TYPE_ERROR))
  }
}

// Not methods of LuaMachine, so that pushing a string retains nothing.

/// Pushes a string.
@inline(__always)
func pushText(_ text: String, on state: OpaquePointer) throws {
  var text = text
  try text.withUTF8 { try pushBytes(UnsafeRawBufferPointer($0), on: state) }
}

/// Pushes a string of any bytes.
@inline(__always)
func pushBytes(_ bytes: UnsafeRawBufferPointer, on state: OpaquePointer) throws {
  if bytes.count > 4096 { try requireRoom(bytes.count, on: state) }
  lua_pushlstring(state, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
}

/// Refuses what would take the script past its memory cap.
private func requireRoom(_ count: Int, on state: OpaquePointer) throws {
  guard let host = clb_host_of(state) else { return }
  func fits() -> Bool { count <= host.pointee.limit && host.pointee.used <= host.pointee.limit - count }
  if fits() { return }
  clb_collect(state)
  if fits() { return }
  throw LuaValueError(
    place: "a string for the script", problem: "\(count) bytes do not fit in the script's memory",
    hint: "read it in pieces, or raise the limit 'memory'")
}
