import CLuaBridge

/// One script: a Lua state on a thread of its own.
///
/// Any number of calls may be in flight at once. Each runs as a coroutine; while one waits for the
/// host others go on, and between two waiting calls a function runs alone. Cancelling the task that
/// awaits a call cancels what the call waits for, and ends the call.
package actor LuaScript {
  /// The thread, which tasks may prefer to run on.
  package nonisolated let thread: LuaThread
  /// What the script is called.
  package nonisolated let name: String
  private nonisolated let executor: LuaSerialExecutor
  private let machine: LuaMachine
  /// The tasks of calls that have waited, so that closing can cancel them.
  private var waiting: [ObjectIdentifier: Task<Void, any Error>] = [:]

  package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Makes a state; nothing of the script's own has run yet.
  ///
  /// - Throws: `LuaError` when the system has no thread for it, or a module's own Lua source fails.
  package init(_ configuration: LuaConfiguration) throws {
    name = configuration.name
    thread = try LuaThread(name: configuration.name)
    executor = LuaSerialExecutor(thread: thread)
    machine = try LuaMachine(configuration)
  }

  isolated deinit { machine.close() }

  /// Ends the script.
  ///
  /// What its calls wait for is cancelled; they end with an error of the code `closed`, as do all
  /// later ones.
  package func close() {
    for task in waiting.values { task.cancel() }
    waiting = [:]
    machine.close()
  }

  /// Bytes that the state holds, garbage included.
  package var memory: Int { machine.isClosed ? 0 : machine.host.pointee.used }

  /// Sets what each call may use that begins from now on, and what the state may hold.
  ///
  /// Calls in flight keep the instructions and seconds that they began with.
  package func setLimits(_ limits: LuaLimits) { machine.setLimits(limits) }

  /// Where a function is defined; nil when it is none of a script's own.
  package func definition(of function: LuaFunction) -> LuaDefinition? { machine.definition(of: function) }

  /// Compiles and runs a source.
  ///
  /// - Parameters:
  ///   - source: Text; bytecode is refused.
  ///   - name: What messages call it: `handbook.lua`.
  ///   - mode: Whether its body may wait.
  ///   - arguments: What the body sees as `...`.
  /// - Returns: What the body returned.
  /// - Throws: `LuaError`: `syntax` with the line, or whatever the body did.
  package func load(
    source: String, name: String, mode: LuaLoadMode = .script, arguments: [LuaValue] = []
  ) async throws -> [LuaValue] {
    try await load(source: Array(source.utf8), name: name, mode: mode, arguments: arguments)
  }

  /// Compiles and runs a source given as bytes.
  package func load(
    source: [UInt8], name: String, mode: LuaLoadMode = .script, arguments: [LuaValue] = []
  ) async throws -> [LuaValue] {
    try checkOpen()
    let body = try machine.compile(source.skippingFirstLineMark(), name: name, ofHost: mode == .host)
    return try await perform(
      body, label: nil, forbidsWaiting: mode != .script,
      arguments: { writer in for argument in arguments { try writer.push(argument) } },
      results: { results in try results.values() })
  }

  /// Calls a function with boxed values.
  ///
  /// - Parameter label: What the call is for, as errors should say it: `rename of a.md`.
  /// - Throws: `LuaError`, whose `underlying` is the Swift error that a host function threw, if any.
  package func call(
    _ function: LuaFunction, _ arguments: [LuaValue] = [], label: String? = nil
  ) async throws -> [LuaValue] {
    try await perform(
      function, label: label, forbidsWaiting: false,
      arguments: { writer in for argument in arguments { try writer.push(argument) } },
      results: { results in try results.values() })
  }

  /// Calls a function without boxing: `arguments` pushes them, `results` reads what came back.
  package func call<Result: Sendable>(
    _ function: LuaFunction, label: String? = nil,
    arguments: @Sendable (inout LuaArguments) throws -> Void,
    results: @Sendable (borrowing LuaResults) throws -> Result
  ) async throws -> Result {
    try await perform(
      function, label: label, forbidsWaiting: false, arguments: arguments, results: results)
  }

  /// Runs a closure on the script's thread, so that many calls cost one visit.
  package func visit<Result: Sendable>(
    _ body: @Sendable (isolated LuaScript) async throws -> Result
  ) async rethrows -> Result {
    try await body(self)
  }

  /// Starts a call, and finishes it if it never waits: about what the same call costs in C.
  ///
  /// For those who are on the script's thread already (`visit`).
  ///
  /// - Returns: Nil when the call has ended and `results` has read what it returned; else a call that waits,
  ///   which has to be handed to `finish`.
  package func start(
    _ function: LuaFunction, label: String? = nil,
    arguments: (inout LuaArguments) throws -> Void,
    results: (borrowing LuaResults) throws -> Void
  ) throws -> LuaPendingCall? {
    let call = try begin(function, label)
    do {
      var writer = LuaArguments(stack: LuaStack(pushingFor: call, machine))
      try arguments(&writer)
      if let pending = try run(call, writer.pushed) { return pending }
      try results(LuaResults(stack: LuaStack(readingFrom: call, machine)))
    } catch {
      end(call)
      throw error
    }
    end(call)
    return nil
  }

  @inline(__always)
  private func begin(_ function: LuaFunction, _ label: String?) throws -> UnsafeMutablePointer<clb_call> {
    if machine.isClosed { try checkOpen() }
    return try machine.begin(function.reference, label: label)
  }

  @inline(__always)
  private func run(_ call: UnsafeMutablePointer<clb_call>, _ arguments: Int32) throws -> LuaPendingCall? {
    switch machine.start(call, arguments: arguments) {
    case .finished: return nil
    case .waiting: return LuaPendingCall(handle: LuaCallHandle(invocation: machine.claim(call)))
    case .failed: throw machine.error(of: call)
    }
  }

  @inline(__always)
  private func end(_ call: UnsafeMutablePointer<clb_call>) { machine.end(call) }

  /// Carries on a call that waits, to its end.
  package func finish<Result>(
    _ call: consuming LuaPendingCall, results: (borrowing LuaResults) throws -> Result
  ) async throws -> Result {
    let invocation = call.handle.invocation
    defer { machine.end(invocation) }
    try await wait(invocation)
    try checkOpen(label: invocation.label)
    return try machine.results(of: invocation.call, results)
  }

  private func perform<Result>(
    _ function: LuaFunction, label: String?, forbidsWaiting: Bool,
    arguments: (inout LuaArguments) throws -> Void,
    results: (borrowing LuaResults) throws -> Result
  ) async throws -> Result {
    try checkOpen()
    let (call, count) = try machine.begin(
      function.reference, label: label, forbidsWaiting: forbidsWaiting, arguments: arguments)
    let pending: LuaPendingCall?
    do { pending = try run(call, count) } catch {
      end(call)
      throw error
    }
    if let pending { return try await finish(pending, results: results) }
    defer { end(call) }
    return try machine.results(of: call, results)
  }

  /// Calls a function for an operation that another call waits for.
  func callWithin(
    _ parent: LuaCallHandle, _ function: LuaFunction, _ arguments: [LuaValue]
  ) async throws -> [LuaValue] {
    try checkOpen()
    let (invocation, count) = try machine.beginChild(
      of: parent.invocation, function.reference, arguments: arguments)
    defer { machine.endChild(invocation) }
    do {
      switch machine.start(invocation.call, arguments: count) {
      case .finished: break
      case .failed: throw machine.error(of: invocation)
      case .waiting: try await wait(invocation)
      }
    } catch let error as LuaError {
      try checkOpen(label: invocation.label)
      machine.stop(parent.invocation, like: error)
      guard error.code == .failed, let value = machine.raisedValue(of: invocation) else { throw error }
      throw LuaRaisedValue(value: value, error: error)
    }
    try checkOpen(label: invocation.label)
    return try machine.shallowResults(of: invocation)
  }

  /// Carries a call on from its first wait to its end.
  ///
  /// In a task of its own, so that closing the script can cancel what it waits for without
  /// cancelling the task that asked for the call. Calls that never wait need none. (`Task.immediate` would
  /// save one turn of the queue, but slows each later `await` of the task down.)
  private func wait(_ invocation: LuaInvocation) async throws {
    let identity = ObjectIdentifier(invocation)
    let task = Task { try await self.carryOn(invocation) }
    waiting[identity] = task
    defer { waiting[identity] = nil }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  private func carryOn(_ invocation: LuaInvocation) async throws {
    // Constants of this function: what is read from the actor again after an `await` is retained each time.
    let machine = machine
    let thread = thread
    // The job in which the call began to wait; a job that was suspended comes back as another one.
    var job = -1
    while let operation = invocation.takeOperation() {
      let outcome: Result<[LuaValue], any Error>
      do {
        switch consume operation {
        case .plain(let run): outcome = .success(try await run())
        case .withCalls(let run):
          let handle = LuaCallHandle(invocation: invocation)
          job = -1  // what it calls is charged by itself
          outcome = .success(try await run(LuaCalls(script: self, parent: handle)))
        }
      } catch { outcome = .failure(error) }
      if machine.isClosed { try checkOpen(label: invocation.label) }
      if Task.isCancelled { machine.cancel(invocation) }
      switch machine.resume(invocation, with: outcome, atOnce: thread.jobs == job) {
      case .finished: return
      case .failed: throw machine.error(of: invocation)
      case .waiting: job = thread.jobs
      }
    }
    throw LuaError(code: .failed, message: "the script waits for nothing", label: invocation.label)
  }

  private func checkOpen(label: String? = nil) throws {
    guard machine.isClosed else { return }
    throw LuaError(code: .closed, message: "the script '\(name)' has been shut down", label: label)
  }
}

extension [UInt8] {
  /// The source without a byte order mark and without the text of a `#!` line.
  fileprivate func skippingFirstLineMark() -> [UInt8] {
    var source = self[...]
    if source.starts(with: [0xef, 0xbb, 0xbf]) { source = source.dropFirst(3) }
    if source.first == UInt8(ascii: "#") { source = source.drop { $0 != UInt8(ascii: "\n") } }
    return Array(source)
  }
}
