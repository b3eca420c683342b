import Simulation
import Synchronization

/// The instant at which a simulated process dies: before or after its n-th call of the service or the ledger.
///
/// From then on every call fails, as nothing that a dead process would still have done may happen.
final class CrashPoint: Sendable {
  private struct State {
    var calls = 0
    var isDead = false
  }

  private let number: Int
  private let after: Bool
  private let state = Mutex(State())

  /// - Parameter after: whether the call that is the last one still takes effect, its answer being lost.
  init(call number: Int, after: Bool) {
    self.number = number
    self.after = after
  }

  /// Whether the process died; false when the run needed fewer calls.
  var wasReached: Bool { state.withLock { $0.isDead } }

  func fate(of call: Call) -> Fault? {
    state.withLock { state in
      state.calls += 1
      if state.isDead { return .dead }
      guard state.calls == number else { return nil }
      state.isDead = true
      return after ? .dying : .dead
    }
  }
}
