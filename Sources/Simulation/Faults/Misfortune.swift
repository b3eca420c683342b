import FileSessions
import Synchronization

/// What befalls the calls of one run, drawn from dice: single faults, and what lasts from some call on.
package final class Misfortune: Sendable {
  /// How bad a run is.
  package struct Plan: Sendable {
    /// How often a call of the service goes wrong by itself, 0…1.
    package var faults = 0.0
    /// The call, from 1, at which the process dies; with or without that call's effect.
    package var death: (call: Int, withEffect: Bool)?
    /// The call from which on the service refuses everything.
    package var outage: (call: Int, error: ServiceError)?
    /// The call from which on the ledger cannot be written.
    package var full: Int?

    package init() {}
  }

  private struct State {
    var calls = 0
    var isDead = false
    var given: [String] = []
  }

  private let plan: Plan
  private let dice: Dice
  private let meanwhile: @Sendable (Call) -> Void
  private let state = Mutex(State())

  /// - Parameter meanwhile: runs before each call, while the engine waits for it.
  package init(_ plan: Plan, dice: Dice, meanwhile: @escaping @Sendable (Call) -> Void = { _ in }) {
    self.plan = plan
    self.dice = dice
    self.meanwhile = meanwhile
  }

  /// What befell which call, in order.
  package var given: [String] { state.withLock { $0.given } }

  package func fate(of call: Call) -> Fault? {
    if !state.withLock({ $0.isDead }) { meanwhile(call) }
    return state.withLock { state in
      state.calls += 1
      let fault = fault(of: call, &state)
      if let fault, fault != .dead { state.given.append("call \(state.calls), \(call.rawValue): \(fault)") }
      return fault
    }
  }

  private func fault(of call: Call, _ state: inout State) -> Fault? {
    if state.isDead { return .dead }
    if let death = plan.death, state.calls >= death.call {
      state.isDead = true
      return death.withEffect ? .dying : .refused(Fault.noAnswer)
    }
    if !call.isOfService {
      return plan.full.map { state.calls >= $0 } == true ? .full : nil
    }
    if let outage = plan.outage, state.calls >= outage.call { return .refused(outage.error) }
    return dice.happens(plan.faults) ? single(call) : nil
  }

  private func single(_ call: Call) -> Fault {
    let passing: [ServiceError] = [
      Fault.noAnswer, ServiceError(.serviceUnavailable, "busy"), ServiceError(.internalServerError, "oops"),
      ServiceError(.tooManyRequests, "slow down"), ServiceError(.gatewayTimeout, "too late"),
    ]
    let error = dice.pick(passing) ?? Fault.noAnswer
    switch dice.roll(0...(call == .upload ? 4 : 3)) {
    case 0, 1: return .refused(error)
    case 2, 3: return .lost(error)
    default: return .corrupted
    }
  }
}
