import CLuaBridge

/// How many calls one call may have going at once: each takes some 16 KiB that the script's cap does not see.
private let mostChildren = 1_000
/// How deep such calls may nest, as deep as Lua nests calls of C.
private let deepestChild = 200
/// What each is charged, since the host's part in it is no instruction of the script's.
private let childCost = clb_budget(instructions: 1_000, nanoseconds: 200_000)

/// Calls that are started by an operation that another call waits for.
extension LuaMachine {
  /// Makes sure that the running call can start so many functions.
  func requireRoom(for count: Int) throws {
    if let running { try requireRoom(for: count, in: running.root) }
  }

  /// Counts the functions that the operation will start for which the running call is about to wait.
  ///
  /// They count until that has ended, since what is queued for each of them takes memory, too.
  func reserveChildren(_ count: Int) {
    guard let running else { return }
    running.root.children += count
    running.reservedChildren += count
  }

  /// Gives back what was reserved for an operation that has ended.
  func releaseChildren(of invocation: LuaInvocation) {
    invocation.root.children -= invocation.reservedChildren
    invocation.reservedChildren = 0
  }

  private func requireRoom(for count: Int, in root: LuaInvocation) throws {
    guard count > mostChildren - root.children else { return }
    throw LuaError(
      code: .failed, message: "more than \(mostChildren) functions run at once",
      hint: "run them in smaller groups")
  }

  /// Takes a coroutine for a call that uses up the allowance of its parent.
  func beginChild(
    of parent: LuaInvocation, _ function: LuaReference, arguments: [LuaValue]
  ) throws -> (invocation: LuaInvocation, arguments: Int32) {
    let root = parent.root
    if let error = root.stopError { throw error }
    let isReserved = parent.reservedChildren > 0
    if !isReserved { try requireRoom(for: 1, in: root) }
    guard parent.depth < deepestChild else {
      throw LuaError(
        code: .failed, message: "functions that run functions nest more than \(deepestChild) deep",
        hint: "does one of them run itself?")
    }
    if isOutOfMemory {
      let error = outOfMemory(label: parent.label)
      stop(parent, like: error)
      throw error
    }
    let budget = parent.call.pointee.budget
    budget?.pointee.instructions -= childCost.instructions
    budget?.pointee.nanoseconds -= childCost.nanoseconds
    let (call, count) = try begin(
      function, label: parent.label, forbidsWaiting: parent.call.pointee.forbids_waiting
    ) { writer in for argument in arguments { try writer.push(argument) } }
    call.pointee.budget = budget
    let invocation = claim(call)
    invocation.parent = parent
    invocation.depth = parent.depth + 1
    if !isReserved { root.children += 1 }
    if let left = budget?.pointee {
      if left.instructions < 0 { clb_stop(call, Int32(CLB_OUT_OF_INSTRUCTIONS)) }
      if left.nanoseconds < 0 { clb_stop(call, Int32(CLB_OUT_OF_TIME)) }
      // Not begun, it is stopped where it was asked for.
      if call.pointee.stopped != CLB_RUNNING { clb_find_place(parent.state, &call.pointee.place) }
    }
    return (invocation, count)
  }

  /// Gives back the coroutine of such a call.
  func endChild(_ invocation: LuaInvocation) {
    if invocation.parent?.reservedChildren == 0 { invocation.root.children -= 1 }
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
