import CLuaBridge

/// A module that a script has required.
enum LuaLoadedModule {
  /// A call is loading it; others wait at the gate.
  case loading(by: LuaInvocation, gate: LuaGate)
  /// It has been loaded; the value that it returned.
  case loaded(LuaReference)
}

extension LuaMachine {
  /// The part of `require` that runs in Lua, so that a module's body may wait.
  private static let requireSource = """
    local begin, finish, compile = ...
    function require(name)
      while true do
        local state, source, chunk = begin(name)
        if state == "loaded" then return source end
        if state == "failed" then finish(name, nil, source) end
        if state == "load" then
          local done <close> = setmetatable({}, { __close = function() finish(name) end })
          local value = compile(source, chunk)(name, chunk)
          if value == nil then value = true end
          finish(name, value)
          return value
        end
      end
    end
    """

  /// Gives scripts `require` when there is a loader for it.
  ///
  /// What is loaded is kept here rather than in Lua: a call that is stopped in the middle of loading a
  /// module runs no code any more, and others must not wait for it for ever.
  func defineRequire() throws {
    guard let loader = configuration.require, let state = host.pointee.main else { return }
    lua_checkstack(state, 20)
    let function = try compile(Array(Self.requireSource.utf8), name: "require", ofHost: true)
    let begin = LuaHostFunction.Body.alwaysWaiting { call in
      try call.stack.machine.beginModule(try call.string(1), loader)
    }
    let finish = LuaHostFunction.Body.immediate { call in
      call.stack.machine.finishModule(try call.string(1), call.has(2) ? call.reference(2) : nil)
      if let box = call.objectIfAny(3)?.value as? LuaErrorBox { throw box.error }
    }
    let compile = LuaHostFunction.Body.immediate { call in
      try call.push(call.stack.machine.compile(try call.bytes(1), name: try call.string(2)))
    }
    let (call, count) = try self.begin(function.reference, label: "require") { arguments in
      for body in [begin, finish, compile] {
        let number = add(LuaHostFunction(name: "require", skipped: 0, body: body))
        clb_push_host_function(arguments.stack.state, number, "require", body.waits)
        arguments.pushed += 1
      }
    }
    defer { end(call) }
    if case .failed = start(call, arguments: count) { throw error(of: call) }
  }

  private func beginModule(
    _ name: String, _ loader: @escaping @Sendable (String) async throws -> LuaSource?
  ) throws -> LuaOperation {
    guard let invocation = running else { return LuaOperation { [] } }
    switch modules[name] {
    case .loaded(let value): return LuaOperation { ["loaded", .reference(value)] }
    case .loading(let owner, let gate):
      if let circle = circle(from: name, owner, to: invocation) {
        throw LuaError(code: .failed, message: "modules require each other: \(escapingControls(circle))")
      }
      invocation.waitsForModule = name
      return LuaOperation {
        try await gate.pass()
        return ["again"]
      }
    case nil:
      modules[name] = .loading(by: invocation, gate: LuaGate())
      invocation.loading.append(name)
      return LuaOperation {
        do {
          if let source = try await loader(name) {
            return ["load", .bytes(source.bytes), .string(source.name)]
          }
          throw LuaError(code: .failed, message: "there is no module '\(escapingControls(name))'")
        } catch {
          return ["failed", .opaque(LuaErrorBox(error))]
        }
      }
    }
  }

  /// The modules that wait for each other, when waiting for `name` would never end.
  private func circle(from name: String, _ owner: LuaInvocation, to invocation: LuaInvocation) -> String? {
    var names = [name]
    var owner = owner
    while true {
      if owner.root === invocation.root { return (names + [name]).joined(separator: " → ") }
      guard let next = owner.waitsForModule, case .loading(let nextOwner, _) = modules[next],
        names.count <= modules.count
      else { return nil }
      names.append(next)
      owner = nextOwner
    }
  }

  private func finishModule(_ name: String, _ value: LuaReference?) {
    // Called once with the value, and again when the scope is left, for whatever reason.
    guard case .loading(let invocation, let gate) = modules[name] else { return }
    modules[name] = value.map { .loaded($0) }
    invocation.loading.removeAll { $0 == name }
    gate.open()
  }

  /// Gives up the modules that a call was loading when it ended.
  func abandonModules(of invocation: LuaInvocation) {
    invocation.waitsForModule = nil
    for name in invocation.loading { finishModule(name, nil) }
  }
}
