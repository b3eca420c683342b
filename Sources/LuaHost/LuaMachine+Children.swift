import CLuaBridge

/// How many calls one call may have going at once: each takes memory that the script's cap does not see.
private let mostChildren = 10_000
/// Instructions charged for each, which may wait before it ever reaches the hook.
private let childCost: Int64 = 1_000

/// Calls that are started by an operation that another call waits for.
extension LuaMachine {
  /// Takes a coroutine for a call that uses up the allowance of its parent.
  func beginChild(
    of parent: LuaInvocation, _ function: LuaReference, arguments: [LuaValue]
  ) throws -> (invocation: LuaInvocation, arguments: Int32) {
    let root = parent.root
    if let error = root.stopError { throw error }
    guard root.children < mostChildren else {
      throw LuaError(
        code: .failed, message: "more than \(mostChildren) functions run at once",
        hint: "run them in smaller groups")
    }
    if isOutOfMemory {
      let error = outOfMemory(label: parent.label)
      stop(parent, like: error)
      throw error
    }
    parent.call.pointee.budget.pointee.instructions -= childCost
    let (call, count) = try begin(
      function, label: parent.label, forbidsWaiting: parent.call.pointee.forbids_waiting
    ) { writer in for argument in arguments { try writer.push(argument) } }
    call.pointee.budget = parent.call.pointee.budget
    let invocation = claim(call)
    invocation.parent = parent
    root.children += 1
    if parent.call.pointee.budget.pointee.instructions < 0 {
      clb_stop(call, Int32(CLB_OUT_OF_INSTRUCTIONS))
    }
    return (invocation, count)
  }

  /// Gives back the coroutine of such a call.
  func endChild(_ invocation: LuaInvocation) {
    invocation.root.children -= 1
    end(invocation)
  }

  /// Whether the script has used up its memory, also after a collection.
  private var isOutOfMemory: Bool {
    guard host.pointee.used > host.pointee.limit else { return false }
    clb_collect(host.pointee.main)
    return host.pointee.used > host.pointee.limit
  }

  /// Stops a call and those that it is a part of because one that it started broke a limit: they share one
  /// allowance.
  func stop(_ invocation: LuaInvocation, like error: LuaError) {
    guard let limit = error.limit else { return }
    var next: LuaInvocation? = invocation
    while let call = next {
      call.stopError = call.stopError ?? error
      stop(call, limit)
      next = call.parent
    }
  }

  /// Stops a call whose first ancestor has been stopped.
  func stopWithRoot(_ invocation: LuaInvocation) {
    guard invocation.parent != nil, let error = invocation.root.stopError as? LuaError,
      let limit = error.limit
    else {
      return
    }
    invocation.stopError = invocation.stopError ?? error
    stop(invocation, limit)
  }

  private func stop(_ invocation: LuaInvocation, _ limit: LuaLimit) {
    switch limit {
    case .instructions: clb_stop(invocation.call, Int32(CLB_OUT_OF_INSTRUCTIONS))
    case .seconds: clb_stop(invocation.call, Int32(CLB_OUT_OF_TIME))
    case .memory: clb_stop(invocation.call, Int32(CLB_OUT_OF_MEMORY))
    }
  }
}
