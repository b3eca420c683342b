import CLuaBridge
import Foundation

/// A coroutine with the call that runs on it; used for one call after another.
final class LuaInvocation {
  let state: OpaquePointer
  let slot: Int32
  let call: UnsafeMutablePointer<clb_call>
  private let ownBudget: UnsafeMutablePointer<clb_budget>
  /// What the caller named the call.
  var label: String?
  /// The operation that the call asked to wait for.
  var operation: LuaOperation?
  /// What that operation gave.
  var outcome: Result<[LuaValue], any Error>?
  /// The error with which a call that this one started was stopped: the same limit stops this one.
  var stopError: LuaError?
  /// The modules that the call is loading, the innermost last.
  var loading: [String] = []
  /// How many calls it has started, themselves or through others, that have not ended.
  var children = 0
  /// The module for which the call waits, while another one loads it.
  var waitsForModule: String?
  /// Whether waiting is refused outside of the modules that the call loads.
  private(set) var forbidsWaiting = false
  /// The call whose allowance this one uses up, when it was started by that one.
  var parent: LuaInvocation?

  init(host: UnsafeMutablePointer<clb_host>) {
    var slot: Int32 = 0
    state = clb_new_coroutine(host, &slot)
    self.slot = slot
    call = .allocate(capacity: 1)
    call.initialize(to: clb_call())
    ownBudget = .allocate(capacity: 1)
    ownBudget.initialize(to: clb_budget())
  }

  deinit {
    free(call.pointee.traceback)
    call.deallocate()
    ownBudget.deallocate()
  }

  /// Makes it ready for a new call.
  func prepare(label: String?, limits: LuaLimits, forbidsWaiting: Bool, parent: LuaInvocation?) {
    self.label = label
    self.parent = parent
    if call.pointee.failed {
      free(call.pointee.traceback)
      call.pointee = clb_call()
    } else {
      call.pointee.stopped = Int32(CLB_RUNNING)
      call.pointee.memory_errors = 0
    }
    stopError = nil
    self.forbidsWaiting = forbidsWaiting
    call.pointee.forbids_waiting = forbidsWaiting
    if let parent {
      call.pointee.budget = parent.call.pointee.budget
    } else {
      ownBudget.pointee.instructions = limits.instructions
      ownBudget.pointee.nanoseconds = Int64(limits.seconds * 1e9)
      call.pointee.budget = ownBudget
    }
  }

  /// The call that Swift asked for, of which this one is a part.
  var root: LuaInvocation { parent?.root ?? self }

  /// Whether another call may run on the coroutine.
  var isReusable: Bool {
    !call.pointee.dead && call.pointee.stopped == CLB_RUNNING && call.pointee.status != LUA_ERRMEM
  }
}

/// How a turn of a call ended.
enum LuaStep {
  /// It returned this many values, which are on top of its stack.
  case finished(Int32)
  /// It waits for its operation.
  case waiting(LuaOperation)
  /// It ended with an error.
  case failed(LuaError)
}
