import CLuaBridge
import Foundation

extension LuaMachine {
  /// The error with which a call ended that was not claimed.
  func error(of call: UnsafeMutablePointer<clb_call>) -> LuaError {
    error(of: Unmanaged<LuaInvocation>.fromOpaque(call.pointee.invocation).takeUnretainedValue())
  }

  /// The error with which a call ended; its values are on top of the call's stack.
  func error(of invocation: LuaInvocation) -> LuaError {
    let state = invocation.state
    let call = invocation.call.pointee
    if let error = invocation.stopError as? LuaError { return error }
    // A call leaves the error value and its text; on a coroutine that is of no more use there is the value alone.
    let top = lua_gettop(state)
    let slot = call.dead ? top : top - 1
    var error = LuaError(code: .failed, message: "")
    if let limit = Self.limit(call) {
      error.code = .limit(limit)
      error.message = message(for: limit)
      error.hint = "raise the limit '\(limit.rawValue)', or do less in one call"
    } else if call.stopped == CLB_CANCELLED {
      error.code = .cancelled
      error.message = "the call was cancelled"
    } else {
      error = raisedError(state, at: slot, text: call.dead ? nil : top, status: call.status)
    }
    error.label = invocation.label
    if error.script == nil, let place = scriptPlace(call.place) {
      error.script = place.chunk
      error.line = place.line
    }
    if error.traceback.isEmpty, let text = call.traceback { error.traceback = lines(ofTraceback: text) }
    addSourceLine(&error)
    return error
  }

  /// The value that a call raised, to be raised again elsewhere; nil when the call was stopped.
  func raisedValue(of invocation: LuaInvocation) -> LuaReference? {
    let call = invocation.call.pointee
    guard call.stopped == CLB_RUNNING, call.status != LUA_ERRMEM else { return nil }
    let top = lua_gettop(invocation.state)
    return reference(invocation.state, at: call.dead ? top : top - 1)
  }

  /// The error for a value that was raised.
  ///
  /// - Parameter text: Where the value's text is, if it was made.
  func raisedError(_ state: OpaquePointer, at slot: Int32, text: Int32? = nil, status: Int32) -> LuaError {
    if status == LUA_ERRMEM {
      return LuaError(
        code: .limit(.memory), message: message(for: .memory), hint: "raise the limit 'memory', or keep less")
    }
    if let box = errorBox(state, at: slot) {
      if let error = box.error as? LuaError { return error }
      return LuaError(
        code: .failed, message: Self.message(of: box.error), script: box.place?.chunk, line: box.place?.line,
        underlying: box.error)
    }
    var error = LuaError(code: .failed, message: "")
    error.value = try? value(state, at: slot)
    let textSlot = lua_type(state, slot) == LUA_TSTRING ? slot : (text ?? slot)
    if lua_type(state, textSlot) == LUA_TSTRING {
      error.message = messageField(state, of: slot) ?? shownText(state, at: textSlot)
      splitPlace(&error)
    } else {
      let type = lua_type(state, slot)
      let name = type == LUA_TUSERDATA ? objectName(state, slot) : String(cString: lua_typename(state, type))
      error.message = "the script raised a \(name) value"
    }
    error.hint = hint(for: error.message)
    return error
  }

  private func shownText(_ state: OpaquePointer, at slot: Int32) -> String {
    escapingControls(String(decoding: bytes(state, slot).prefix(8192), as: UTF8.self))
  }

  /// The `message` of a table that was raised, when it is a text and the table has no text of its own.
  private func messageField(_ state: OpaquePointer, of slot: Int32) -> String? {
    guard lua_type(state, slot) == LUA_TTABLE, lua_checkstack(state, 4) != 0 else { return nil }
    let top = lua_gettop(state)
    defer { lua_settop(state, top) }
    if lua_getmetatable(state, slot) != 0 {
      for name in ["__tostring", "__name"] {
        lua_pushstring(state, name)
        if lua_rawget(state, top + 1) != LUA_TNIL { return nil }
        clb_pop(state, 1)
      }
    }
    lua_pushstring(state, "message")
    guard lua_rawget(state, slot) == LUA_TSTRING else { return nil }
    return shownText(state, at: lua_gettop(state))
  }

  private static func limit(_ call: clb_call) -> LuaLimit? {
    switch Int(call.stopped) {
    case CLB_OUT_OF_INSTRUCTIONS: .instructions
    case CLB_OUT_OF_TIME: .seconds
    case CLB_OUT_OF_MEMORY: .memory
    default: call.stopped == CLB_RUNNING && call.status == LUA_ERRMEM ? .memory : nil
    }
  }

  func outOfMemory(label: String?) -> LuaError {
    LuaError(
      code: .limit(.memory), message: message(for: .memory), hint: "raise the limit 'memory', or keep less",
      label: label)
  }

  private func message(for limit: LuaLimit) -> String {
    let limits = configuration.limits
    switch limit {
    case .instructions: return "stopped: it ran more than \(limits.instructions) instructions"
    case .seconds: return "stopped: it ran longer than \(limits.seconds) seconds"
    case .memory: return "stopped: it needed more than \(limits.memory) bytes of memory"
    }
  }

  /// What to do about some messages of Lua's that people meet often.
  private func hint(for message: String) -> String? {
    if message.contains("attempt to yield across a C-call boundary") {
      return "a coroutine cannot be left from within a callback of sort, gsub or tostring"
    }
    guard message.contains(" a nil value (") else { return nil }
    let name = message.split(separator: "'", omittingEmptySubsequences: false).dropFirst().first ?? ""
    if message.contains("(global '") { return "is the name spelled right, or is it defined later?" }
    if message.contains("(method '") { return "is the name spelled right?" }
    if message.contains("(field '") {
      return "'\(name)' is nil here: is the name spelled right? If it may be absent, test it first"
    }
    return nil
  }

  /// Takes `script.lua:12: ` off the front of a message.
  private func splitPlace(_ error: inout LuaError) {
    if let (_, _, message) = place(before: error.message, in: hostChunks) {
      // The host's own Lua is no place that a person knows.
      error.message = message
    } else if let (name, line, message) = place(before: error.message, in: sources.keys) {
      error.script = name
      error.line = line
      error.message = message
    }
  }

  /// A place for a person; nil when it is unknown, or in the host's own Lua.
  func scriptPlace(_ place: clb_place) -> LuaPlace? {
    guard place.line > 0 else { return nil }
    let chunk = withUnsafeBytes(of: place.chunk) { bytes in
      escapingControls(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
    }
    return hostChunks.contains(chunk) ? nil : LuaPlace(chunk: chunk, line: Int(place.line))
  }

  /// Where a function is defined; nil in the host's own Lua, or in C.
  func definition(of function: LuaFunction) -> LuaDefinition? {
    guard !isClosed, function.reference.owner == identity, let state = host.pointee.main,
      lua_checkstack(state, 4) != 0
    else { return nil }
    var found = clb_place()
    clb_push_ref(state, function.reference.slot)
    clb_find_definition(state, &found)
    return scriptPlace(found).map {
      LuaDefinition(script: $0.chunk, line: $0.line, sourceLine: sources[$0.chunk]?.line($0.line))
    }
  }

  private func place(before message: String, in chunks: some Sequence<String>) -> (String, Int, String)? {
    for name in chunks where message.hasPrefix(name + ":") {
      let rest = message.dropFirst(name.count + 1)
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let line = Int(digits), rest.dropFirst(digits.count).hasPrefix(": ") else { continue }
      return (name, line, String(rest.dropFirst(digits.count + 2)))
    }
    return nil
  }

  private func addSourceLine(_ error: inout LuaError) {
    guard let script = error.script, let line = error.line else { return }
    error.sourceLine = sources[script]?.line(line)
  }

  private func lines(ofTraceback text: UnsafePointer<CChar>) -> [String] {
    var lines: [String] = []
    for line in String(cString: text).split(separator: "\n") {
      var line = escapingControls(String(line))
      if hostChunks.contains(where: { line.hasPrefix($0 + ":") }) {
        // To a script all functions of the host are alike, whatever they are written in.
        guard let range = line.firstRange(of: " in function '") else { continue }
        line = "[C]:" + line[range.lowerBound...]
      }
      if line != lines.last || !line.hasPrefix("[C]: in function '") { lines.append(line) }
    }
    // The entry of every call, which is not the script's.
    if lines.last == "[C]: in ?" { lines.removeLast() }
    return lines
  }
}

/// A line of a script.
package struct LuaPlace: Hashable, Sendable {
  /// The name of the script, or of a module: `handbook.lua`.
  package let chunk: String
  /// Counted from 1.
  package let line: Int
}

/// A chunk's source, kept to show the line of an error.
struct LuaSourceText {
  let bytes: [UInt8]

  /// A line counted from 1, made safe to print and cut to a sensible length.
  func line(_ number: Int) -> String? {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard number >= 1, number <= lines.count else { return nil }
    let text = String(decoding: lines[number - 1].prefix(200), as: UTF8.self)
      .replacing("\t", with: "  ").replacing("\r", with: "")
    return escapingControls(text)
  }
}
