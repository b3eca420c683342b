import FileSessions

/// An engine's part in a gate.
package final class GateSeat: Sendable {
  private let gate: Gate
  private let number: Int

  init(gate: Gate, number: Int) {
    self.gate = gate
    self.number = number
  }

  deinit { gate.end(number) }

  /// On what terms places are given.
  var terms: Gate.Terms { gate.terms }

  /// Notes that the recipe has another name.
  package func rename(_ recipe: String) { gate.rename(number, recipe) }

  /// Gives the part up: the engine has nothing under way any more.
  package func leave() { gate.end(number) }

  /// Asks for a place. One that has to wait asks again when `bell` rings, or withdraws.
  func enter(_ load: Load, bell: Bell) -> Gate.Answer { gate.enter(number, load, bell) }

  /// Waits no more.
  func withdraw() { gate.withdraw(number) }

  /// Whether there are other engines.
  var isShared: Bool { gate.company(of: number).recipes.count > 1 }

  /// What is this engine's duty in a request for jobs.
  func duty(in request: JobRequest) -> RequestDuty {
    let (own, recipes, isFirst) = gate.company(of: number)
    return RequestDuty(of: request.selection, for: own, among: recipes, isFirst: isFirst)
  }
}
