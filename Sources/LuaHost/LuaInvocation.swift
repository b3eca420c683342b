import CLuaBridge

/// What Swift knows of a call: the other half of a `clb_call`, with which it lives and is used again.
///
/// A call that has not ended holds on to itself: `LuaMachine.begin` hands it out, `end` takes it back.
final class LuaInvocation {
  // Exclusivity is not checked at run time here and in LuaMachine: both are only touched on the script's
  // thread, never across a call that could come back, and the checks took a fifth of a plain call.
  let call: UnsafeMutablePointer<clb_call>
  /// What the caller named the call.
  @exclusivity(unchecked) var label: String?
  /// The operation that the call asked to wait for.
  @exclusivity(unchecked) var operation: LuaOperation?
  /// What that operation gave.
  @exclusivity(unchecked) var outcome: Result<[LuaValue], any Error>?
  /// The error with which a call that this one started was stopped: the same limit stops this one.
  @exclusivity(unchecked) var stopError: (any Error)?
  /// The modules that the call is loading, the innermost last.
  @exclusivity(unchecked) var loading: [String] = []
  /// How many calls it has started, themselves or through others, that have not ended.
  @exclusivity(unchecked) var children = 0
  /// How many of them may be started by the operation that the call waits for, and count already.
  @exclusivity(unchecked) var reservedChildren = 0
  /// The module for which the call waits, while another one loads it.
  @exclusivity(unchecked) var waitsForModule: String?
  /// The call whose allowance this one uses up, when it was started by that one.
  @exclusivity(unchecked) var parent: LuaInvocation?
  /// How many calls it is below the one that Swift asked for.
  @exclusivity(unchecked) var depth = 0

  init(call: UnsafeMutablePointer<clb_call>) { self.call = call }

  deinit { clb_free_call(call) }

  /// The coroutine on which it runs.
  var state: OpaquePointer { call.pointee.coroutine }

  /// What the call asked to wait for, which is then forgotten.
  func takeOperation() -> LuaOperation.Body? {
    var taken: LuaOperation?
    swap(&taken, &operation)
    return taken?.body
  }

  /// What the operation gave, which is then forgotten.
  func takeOutcome() -> Result<[LuaValue], any Error>? {
    var taken: Result<[LuaValue], any Error>?
    swap(&taken, &outcome)
    return taken
  }

  /// The call that Swift asked for, of which this one is a part.
  var root: LuaInvocation { parent?.root ?? self }
}

/// How a turn of a call ended.
enum LuaStep {
  /// It returned values, which are on top of its stack.
  case finished
  /// It waits for its operation.
  case waiting
  /// It ended with an error.
  case failed
}
