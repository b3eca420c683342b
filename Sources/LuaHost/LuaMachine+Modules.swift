import CLuaBridge

extension LuaMachine {
  /// Makes the tables of all modules.
  func defineModules() throws {
    for module in configuration.modules { try define(module) }
  }

  private func define(_ module: LuaModule) throws {
    let state = host.pointee.main
    guard let state else { return }
    lua_checkstack(state, 20)
    let top = lua_gettop(state)
    defer { lua_settop(state, top) }
    clb_push_globals(state)
    for part in module.path.split(separator: ".") {
      lua_pushstring(state, String(part))
      if lua_rawget(state, -2) == LUA_TNIL {
        clb_pop(state, 1)
        lua_createtable(state, 0, 8)
        lua_pushstring(state, String(part))
        lua_pushvalue(state, -2)
        lua_rawset(state, -4)
      }
    }
    let table = lua_gettop(state)
    clb_remember_names(state, module.path)
    var names: [String] = []
    for member in module.members {
      switch member {
      case .function(let name, let body):
        names.append(name)
        lua_pushstring(state, name)
        pushFunction("\(module.path).\(name)", skipped: 0, body, on: state)
        lua_rawset(state, table)
      case .value(let name, let value):
        names.append(name)
        lua_pushstring(state, name)
        try push(value, on: state)
        lua_rawset(state, table)
      case .script(let source):
        try run(Array(source.utf8), name: module.path, argument: table, on: state)
      }
    }
    lua_settop(state, table)
    setMissing(module, on: state)
  }

  /// Fields that do not exist are computed, or an error that says so.
  private func setMissing(_ module: LuaModule, on state: OpaquePointer) {
    let path = module.path
    let body =
      module.missing
      ?? .immediate { call in
        let known = call.moduleNames()
        let name = (try? call.string(2)).map(escapingControls) ?? call.typeName(2)
        let nearest = nearestName(to: name, in: known)
        throw LuaValueError(
          place: path, problem: "there is no '\(name)'",
          hint: nearest.map { "did you mean '\($0)'?" } ?? "it has \(known.joined(separator: ", "))")
      }
    let number = add(LuaHostFunction(name: path, skipped: 0, body: body))
    clb_set_index(state, number, path, body.waits)
  }

  /// Runs Lua source of the host's own.
  private func run(_ source: [UInt8], name: String, argument: Int32, on state: OpaquePointer) throws {
    let function = try compile(source, name: name, ofHost: true)
    let (call, count) = try begin(function.reference, label: name) { arguments in
      lua_pushvalue(state, argument)
      lua_xmove(state, arguments.stack.state, 1)
      arguments.pushed += 1
    }
    defer { end(call) }
    switch start(call, arguments: count) {
    case .finished: return
    case .failed: throw error(of: call)
    case .waiting: throw LuaError(code: .failed, message: "\(name): a module cannot wait while it is made")
    }
  }

  func add(_ function: LuaHostFunction) -> Int32 {
    functions.append(function)
    return Int32(functions.count - 1)
  }

  private func pushFunction(
    _ name: String, skipped: Int32, _ body: LuaHostFunction.Body, on state: OpaquePointer
  ) {
    let number = add(LuaHostFunction(name: name, skipped: skipped, body: body))
    clb_push_host_function(state, number, name, body.waits)
  }

  /// The number of a type of object, which is defined when it is first met.
  func typeNumber(_ type: LuaTypeDescriptor) -> Int32 {
    if let number = typeNumbers[ObjectIdentifier(type)] { return number }
    guard let state = host.pointee.main else { return Int32(CLB_TYPE_OPAQUE) }
    lua_checkstack(state, 20)
    lua_createtable(state, 0, Int32(clamping: type.members.count))
    for member in type.members {
      lua_pushstring(state, member.name)
      let separator = member.isProperty ? "." : ":"
      let name = type.name + separator + member.name
      if member.isProperty {
        // A property is its getter in a table of one.
        lua_createtable(state, 1, 0)
        pushFunction(name, skipped: 1, member.body, on: state)
        lua_rawseti(state, -2, 1)
      } else {
        pushFunction(name, skipped: 1, member.body, on: state)
      }
      lua_rawset(state, -3)
    }
    clb_remember_names(state, type.name)
    let number = clb_define_type(host, type.name, type.text != nil)
    typeNumbers[ObjectIdentifier(type)] = number
    types[number] = type
    return number
  }

  /// Compiles text.
  ///
  /// - Parameter ofHost: The source is the host's own. Its `<close>` variables never wait, and so do not make
  ///   every call of the script's functions slower.
  /// - Throws: `LuaError` with the code `syntax`.
  func compile(_ source: [UInt8], name: String, ofHost: Bool = false) throws -> LuaFunction {
    guard let state = host.pointee.main else {
      throw LuaError(code: .closed, message: "the script is closed")
    }
    if ofHost { hostChunks.insert(name) } else { sources[name] = LuaSourceText(bytes: source) }
    lua_checkstack(state, 20)
    let status = source.withUnsafeBytes { bytes in
      let text = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
      if !ofHost { clb_note_source(host, text, bytes.count) }
      return clb_compile(state, text, bytes.count, (ofHost ? "=" : "@") + name)
    }
    defer { clb_pop(state, 1) }
    guard status == LUA_OK else {
      var error = raisedError(state, at: lua_gettop(state), status: status)
      error.code = .syntax
      error.value = nil
      if error.script == nil { error.script = name }
      error.sourceLine = error.line.flatMap { sources[name]?.line($0) }
      throw error
    }
    return LuaFunction(reference: reference(state, at: lua_gettop(state)))
  }
}

extension LuaCall {
  /// The names of the module whose table is the first argument.
  fileprivate func moduleNames() -> [String] {
    let state = stack.state
    let top = lua_gettop(state)
    defer { lua_settop(state, top) }
    var names: [String] = []
    lua_checkstack(state, 4)
    lua_pushnil(state)
    while lua_next(state, stack.slot(1)) != 0 {
      if lua_type(state, top + 1) == LUA_TSTRING {
        names.append(String(decoding: stack.machine.bytes(state, top + 1), as: UTF8.self))
      }
      lua_settop(state, top + 1)
    }
    return names.sorted()
  }
}
