import CLuaBridge
import Foundation

/// A script's state and everything that is only touched on its thread.
///
/// It decides nothing about tasks: `begin`, `step` and `resume` are synchronous, and what they answer
/// tells the actor what to do.
@usableFromInline
final class LuaMachine {
  let host: UnsafeMutablePointer<clb_host>
  @exclusivity(unchecked) private(set) var configuration: LuaConfiguration
  let releases = LuaReleases()
  @exclusivity(unchecked) private(set) var isClosed = false
  /// What tells references into this state from others, without counting references.
  let identity: ObjectIdentifier
  @exclusivity(unchecked) private var readCall: UnsafeMutablePointer<clb_call>?
  /// The call whose turn it is.
  var running: LuaInvocation? {
    guard let call = host.pointee.call else { return nil }
    return half(of: call).takeUnretainedValue()
  }
  /// Does something with the call whose turn it is, without counting references to it.
  @inline(__always)
  func withRunning<Result>(_ body: (LuaInvocation) -> Result?) -> Result? {
    guard let call = host.pointee.call else { return nil }
    return half(of: call)._withUnsafeGuaranteedRef(body)
  }
  /// The call whose results are being read, if any are.
  var reading: LuaInvocation? { readCall.map { half(of: $0).takeUnretainedValue() } }
  @exclusivity(unchecked) var functions: [LuaHostFunction] = []
  var typeNumbers: [ObjectIdentifier: Int32] = [:]
  var types: [Int32: LuaTypeDescriptor] = [:]
  var sources: [String: LuaSourceText] = [:]
  /// The names of the host's own chunks.
  var hostChunks: Set<String> = []
  var modules: [String: LuaLoadedModule] = [:]

  init(_ configuration: LuaConfiguration) throws {
    self.configuration = configuration
    identity = ObjectIdentifier(releases)
    var callbacks = Self.callbacks
    guard let host = clb_open(nil, &callbacks, configuration.limits.memory) else {
      throw LuaError(code: .unavailable, message: "no memory for the script's state")
    }
    self.host = host
    host.pointee.context = Unmanaged.passUnretained(self).toOpaque()
    applyLimits()
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
    while let free = clb_take(host) { half(of: free).release() }
    clb_close(host)
  }

  /// Sets what calls may use that begin from now on, and what the state may hold.
  func setLimits(_ limits: LuaLimits) {
    guard !isClosed else { return }
    configuration.limits = limits
    applyLimits()
  }

  private func applyLimits() {
    let limits = configuration.limits
    host.pointee.limit = limits.memory
    host.pointee.largest_source = limits.source
    host.pointee.allowance = clb_budget(
      instructions: limits.instructions, nanoseconds: Int64(min(limits.seconds, 1e9) * 1e9))
  }

  // MARK: Calls

  // A plain call goes through `begin`, `start`, `results` and `end` with its C half alone: each retain and
  // release is an atomic operation, and four of them cost half as much as the call.

  /// Swift's half of a call.
  @inline(__always)
  private func half(of call: UnsafeMutablePointer<clb_call>) -> Unmanaged<LuaInvocation> {
    Unmanaged.fromOpaque(call.pointee.invocation)
  }

  /// Takes a coroutine and pushes a function; its arguments come next.
  ///
  /// - Returns: A call that has to be ended.
  @inline(__always)
  func begin(_ function: LuaReference, label: String?, forbidsWaiting: Bool = false) throws
    -> UnsafeMutablePointer<clb_call>
  {
    if releases.isPending { freeReleased() }
    guard function.owner == identity else { throw foreign(function) }
    let call = try clb_take(host) ?? makeCall()
    half(of: call)._withUnsafeGuaranteedRef { half in
      if label != nil || half.label != nil { half.label = label }
    }
    clb_begin(host, call, function.slot, forbidsWaiting)
    return call
  }

  /// Takes a coroutine and pushes a function with its arguments.
  ///
  /// - Returns: A call that has to be ended, and how many arguments it has got.
  func begin(
    _ function: LuaReference, label: String?, forbidsWaiting: Bool = false,
    arguments: (inout LuaArguments) throws -> Void
  ) throws -> (call: UnsafeMutablePointer<clb_call>, arguments: Int32) {
    let call = try begin(function, label: label, forbidsWaiting: forbidsWaiting)
    var writer = LuaArguments(stack: LuaStack(pushingFor: call, self))
    do { try arguments(&writer) } catch {
      end(call)
      throw error
    }
    return (call, writer.pushed)
  }

  private func makeCall() throws -> UnsafeMutablePointer<clb_call> {
    guard let call = clb_new_call(host) else {
      throw LuaError(code: .unavailable, message: "no memory for a call")
    }
    call.pointee.invocation = Unmanaged.passRetained(LuaInvocation(call: call)).toOpaque()
    return call
  }

  /// Runs a call that was begun until it ends or waits.
  @inline(__always)
  func start(_ call: UnsafeMutablePointer<clb_call>, arguments: Int32) -> LuaStep {
    readCall = call
    return step(clb_start(host, call, arguments))
  }

  /// Goes on with a call after the operation that it waited for.
  ///
  /// - Parameter atOnce: The thread has run nothing but the operation since the call began to wait.
  func resume(
    _ invocation: LuaInvocation, with outcome: consuming Result<[LuaValue], any Error>, atOnce: Bool
  ) -> LuaStep {
    if releases.isPending { freeReleased() }
    if invocation.parent != nil { stopWithRoot(invocation) }
    if invocation.reservedChildren != 0 { releaseChildren(of: invocation) }
    invocation.outcome = outcome
    return step(clb_continue(host, invocation.call, atOnce))
  }

  @inline(__always)
  private func step(_ turn: Int32) -> LuaStep {
    switch Int(turn) {
    case CLB_FINISHED: .finished
    case CLB_WAITING: .waiting
    default: .failed
    }
  }

  /// Reads what a finished call returned.
  func results<Result>(
    of call: UnsafeMutablePointer<clb_call>, _ read: (borrowing LuaResults) throws -> Result
  ) throws -> Result {
    readCall = call
    return try read(LuaResults(stack: LuaStack(readingFrom: call, self)))
  }

  /// Gives back a call that never waited.
  @inline(__always)
  func end(_ call: UnsafeMutablePointer<clb_call>) {
    readCall = nil
    if isClosed || !clb_end(host, call) { discard(call) }
  }

  private func discard(_ call: UnsafeMutablePointer<clb_call>) {
    if !isClosed { clb_abandon(host, call) }
    half(of: call).release()
  }

  /// Takes over a call that waits; it has to be given back.
  func claim(_ call: UnsafeMutablePointer<clb_call>) -> LuaInvocation { half(of: call).takeRetainedValue() }

  /// Gives back a call that was claimed and has ended.
  func end(_ invocation: LuaInvocation) {
    if invocation.reservedChildren != 0 { releaseChildren(of: invocation) }
    invocation.parent = nil
    invocation.depth = 0
    invocation.stopError = nil
    invocation.operation = nil
    if !isClosed, !invocation.loading.isEmpty || invocation.waitsForModule != nil {
      abandonModules(of: invocation)
    }
    end(Unmanaged.passRetained(invocation).takeUnretainedValue().call)
  }

  /// Reads what a finished call returned; tables and the like stay in the script.
  func shallowResults(of invocation: LuaInvocation) throws -> [LuaValue] {
    let state = invocation.state
    return try (1..<1 + invocation.call.pointee.results).map { slot in
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
