import CLuaBridge
import Foundation

extension LuaMachine {
  /// What C calls. Each answers with a status and never lets an error out, so that only C jumps.
  static let callbacks = clb_callbacks(
    call: { context, state, function in
      guard let state, let context else { return 0 }
      return Unmanaged<LuaMachine>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.call(function, state) }
    },
    finish: { context, state, function in
      guard let state, let context else { return 0 }
      return Unmanaged<LuaMachine>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.finish(function, state) }
    },
    describe: { context, state, type, object in
      guard let state, let object, let machine = machine(context) else { return 0 }
      return machine.describe(type, object, state)
    },
    field: { context, state, type, object in
      guard let state, let object, let machine = machine(context) else { return 0 }
      return machine.field(type, object, state)
    },
    release: { object in
      guard let object else { return }
      Unmanaged<AnyObject>.fromOpaque(object).release()
    },
    print: { context, bytes, count in
      guard let machine = machine(context) else { return }
      let line = UnsafeRawBufferPointer(start: bytes, count: count)
      machine.configuration.print(String(decoding: line, as: UTF8.self))
    },
    cancelled: { _ in Task.isCancelled }
  )

  private static func machine(_ context: UnsafeMutableRawPointer?) -> LuaMachine? {
    context.map { Unmanaged<LuaMachine>.fromOpaque($0).takeUnretainedValue() }
  }

  private func call(_ number: Int32, _ state: OpaquePointer) -> Int32 {
    // The list of functions keeps them.
    Unmanaged.passUnretained(functions[Int(number)])._withUnsafeGuaranteedRef { function in
      var call = LuaCall(
        stack: LuaStack(
          state: state, machine: self, base: function.skipped,
          count: max(0, Int(lua_gettop(state) - function.skipped)), function: number))
      do {
        switch function.body {
        case .immediate(let body):
          try body(&call)
          return call.pushed
        case .waiting(let body), .alwaysWaiting(let body):
          let operation = try body(&call)
          withRunning { $0.operation = operation }
          return Int32(CLB_WAIT)
        }
      } catch {
        push(error: error, on: state)
        return Int32(CLB_RAISE)
      }
    }
  }

  private func finish(_ number: Int32, _ state: OpaquePointer) -> Int32 {
    do {
      guard let values = try withRunning({ $0.takeOutcome() })?.get() else { return 0 }
      if values.isEmpty { return 0 }
      guard lua_checkstack(state, Int32(clamping: values.count) + 20) != 0 else {
        throw LuaValueError(
          place: functions[Int(number)].name, problem: "\(values.count) results are too many")
      }
      for value in values { try push(value, on: state) }
      return Int32(values.count)
    } catch let raised as LuaRaisedValue {
      // What a function of the script raised elsewhere is raised here as it was.
      do { try push(raised.value, on: state) } catch { push(error: error, on: state) }
      return Int32(CLB_RAISE)
    } catch {
      push(error: error, on: state)
      return Int32(CLB_RAISE)
    }
  }

  private func describe(_ type: Int32, _ object: UnsafeMutableRawPointer, _ state: OpaquePointer) -> Int32 {
    let text: String
    if type == CLB_TYPE_ERROR {
      let box = Unmanaged<LuaErrorBox>.fromOpaque(object).takeUnretainedValue()
      text = Self.message(of: box.error)
    } else {
      let object = Unmanaged<LuaObject>.fromOpaque(object).takeUnretainedValue()
      text = object.type?.text?(object.value) ?? object.typeName
    }
    do {
      try push(text, on: state)
      return 1
    } catch {
      push(error: error, on: state)
      return Int32(CLB_RAISE)
    }
  }

  /// A field of an error, or of an object that has no member of that name.
  private func field(_ type: Int32, _ object: UnsafeMutableRawPointer, _ state: OpaquePointer) -> Int32 {
    do {
      let name = lua_type(state, 2) == LUA_TSTRING ? String(decoding: bytes(state, 2), as: UTF8.self) : nil
      if type == CLB_TYPE_ERROR {
        let box = Unmanaged<LuaErrorBox>.fromOpaque(object).takeUnretainedValue()
        try push(name.flatMap { Self.field($0, of: box.error) } ?? .nil, on: state)
        return 1
      }
      let object = Unmanaged<LuaObject>.fromOpaque(object).takeUnretainedValue()
      if object.type?.allowsUnknownFields == true {
        lua_pushnil(state)
        return 1
      }
      let known = object.type?.members.map(\.name) ?? []
      let shown = name.map(escapingControls) ?? String(cString: lua_typename(state, lua_type(state, 2)))
      let nearest = name.flatMap { nearestName(to: $0, in: known) }
      throw LuaValueError(
        place: object.typeName, problem: "there is no field '\(shown)'",
        hint: nearest.map { "did you mean '\($0)'?" }
          ?? (known.isEmpty ? nil : "it has \(known.sorted().joined(separator: ", "))"))
    } catch {
      push(error: error, on: state)
      return Int32(CLB_RAISE)
    }
  }

  private static func field(_ name: String, of error: any Error) -> LuaValue? {
    if let value = (error as? any LuaErrorFields)?.luaField(name) { return value }
    return name == "message" ? .string(message(of: error)) : nil
  }

  /// One line about a Swift error.
  static func message(of error: any Error) -> String {
    escapingControls(String(describing: error))
  }
}
