import CLuaBridge
import Foundation

/// A script's state and everything that is only touched on its thread.
///
/// It decides nothing about tasks: `begin`, `step` and `resume` are synchronous, and what they answer
/// tells the actor what to do.
final class LuaMachine {
  private(set) var host: UnsafeMutablePointer<clb_host>
  let configuration: LuaConfiguration
  let releases = LuaReleases()
  private(set) var isClosed = false
  /// The call whose turn it is.
  private(set) var running: LuaInvocation?
  var functions: [LuaHostFunction] = []
  var typeNumbers: [ObjectIdentifier: Int32] = [:]
  var types: [Int32: LuaTypeDescriptor] = [:]
  var sources: [String: LuaSourceText] = [:]
  var modules: [String: LuaLoadedModule] = [:]
  private var idle: [LuaInvocation] = []

  init(_ configuration: LuaConfiguration) throws {
    self.configuration = configuration
    var callbacks = Self.callbacks
    guard let host = clb_open(nil, &callbacks, configuration.limits.memory) else {
      throw LuaError(code: .unavailable, message: "no memory for the script's state")
    }
    self.host = host
    host.pointee.context = Unmanaged.passUnretained(self).toOpaque()
    host.pointee.largest_source = configuration.limits.source
    do {
      try defineModules()
      try defineRequire()
    } catch {
      close()
      throw error
    }
  }

  deinit { close() }

  /// Frees the state. Nothing of it may be touched afterwards.
  func close() {
    guard !isClosed else { return }
    isClosed = true
    idle = []
    clb_close(host)
  }

  // MARK: Calls

  /// Takes a coroutine and pushes a function with its arguments.
  func begin(
    _ function: LuaReference, label: String?, forbidsWaiting: Bool = false, parent: LuaInvocation? = nil,
    arguments: (inout LuaArguments) throws -> Void
  ) throws -> (invocation: LuaInvocation, arguments: Int32) {
    freeReleased()
    let invocation = idle.popLast() ?? LuaInvocation(host: host)
    invocation.prepare(
      label: label, limits: configuration.limits, forbidsWaiting: forbidsWaiting, parent: parent)
    let state = invocation.state
    do {
      lua_checkstack(state, 20)
      clb_begin(state)
      try push(function, on: state)
      var writer = LuaArguments(
        stack: LuaStack(state: state, machine: self, base: 2, count: 0, place: .argument(label ?? "call")))
      try arguments(&writer)
      return (invocation, writer.pushed)
    } catch {
      lua_settop(state, 0)
      idle.append(invocation)
      throw error
    }
  }

  /// Runs a call that was begun until it ends or waits.
  func start(_ invocation: LuaInvocation, arguments: Int32) -> LuaStep {
    let before = running
    running = invocation
    defer { running = before }
    var results: Int32 = 0
    let outcome = clb_start(host, invocation.state, invocation.call, arguments, &results)
    return step(invocation, outcome, results)
  }

  /// Goes on with a call after the operation that it waited for.
  func resume(_ invocation: LuaInvocation, with outcome: Result<[LuaValue], any Error>) -> LuaStep {
    freeReleased()
    stopWithRoot(invocation)
    invocation.outcome = outcome
    let before = running
    running = invocation
    defer { running = before }
    var results: Int32 = 0
    let turn = clb_continue(host, invocation.state, invocation.call, &results)
    return step(invocation, turn, results)
  }

  private func step(_ invocation: LuaInvocation, _ turn: Int32, _ results: Int32) -> LuaStep {
    switch Int(turn) {
    case CLB_FINISHED: return .finished(results)
    case CLB_WAITING:
      guard let operation = invocation.operation else {
        return .failed(
          LuaError(code: .failed, message: "the script waits for nothing", label: invocation.label))
      }
      invocation.operation = nil
      return .waiting(operation)
    default: return .failed(error(of: invocation))
    }
  }

  /// Reads what a finished call returned.
  func results<Result>(
    of invocation: LuaInvocation, _ count: Int32, _ read: (borrowing LuaResults) throws -> Result
  ) throws -> Result {
    let state = invocation.state
    let results = LuaResults(
      stack: LuaStack(
        state: state, machine: self, base: lua_gettop(state) - count, count: Int(count),
        place: .result(invocation.label)))
    return try read(results)
  }

  /// Gives back the coroutine of a call that has ended.
  func end(_ invocation: LuaInvocation) {
    guard !isClosed else { return }
    invocation.parent = nil
    invocation.outcome = nil
    abandonModules(of: invocation)
    if invocation.isReusable, idle.count < 256 {
      lua_settop(invocation.state, 0)
      idle.append(invocation)
    } else {
      // A coroutine that was stopped inside a hook has its hooks off for good: never run it again.
      clb_unref(host.pointee.main, invocation.slot)
    }
  }

  /// Reads what a finished call returned; tables and the like stay in the script.
  func shallowResults(of invocation: LuaInvocation, _ count: Int32) throws -> [LuaValue] {
    let state = invocation.state
    let first = lua_gettop(state) - count + 1
    return try (first..<first + count).map { slot in
      switch lua_type(state, slot) {
      case LUA_TNIL, LUA_TBOOLEAN, LUA_TNUMBER, LUA_TSTRING: try value(state, at: slot)
      default: .reference(reference(state, at: slot))
      }
    }
  }

  /// Stops a call whose task was cancelled; it ends when it is resumed.
  func cancel(_ invocation: LuaInvocation) {
    clb_stop(invocation.call, Int32(CLB_CANCELLED))
  }

  private func freeReleased() {
    for slot in releases.take() { clb_unref(host.pointee.main, slot) }
  }

  /// Calls a function from within a host function.
  func callNested(_ state: OpaquePointer, _ function: LuaFunction, _ arguments: [LuaValue]) throws -> LuaValue
  {
    let top = lua_gettop(state)
    guard lua_checkstack(state, 20 + Int32(clamping: arguments.count)) != 0 else {
      throw LuaError(code: .failed, message: "stack overflow")
    }
    defer { lua_settop(state, top) }
    try push(function.reference, on: state)
    for argument in arguments { try push(argument, on: state) }
    let status = clb_call_nested(state, Int32(clamping: arguments.count), 1)
    if status == LUA_OK { return try value(state, at: top + 1) }
    throw raisedError(state, at: top + 1, status: status)
  }
}
