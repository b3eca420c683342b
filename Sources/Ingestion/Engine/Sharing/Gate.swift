import Synchronization

/// The places for files under way, which all engines of a run share.
///
/// A place that becomes free goes to the engine that has waited longest, each of which waits with one file at a
/// time: a recipe with many files does not starve one with few.
package final class Gate: Sendable {
  /// What came of asking for a place.
  enum Answer: Sendable {
    case begun(Ticket)
    /// Others are before it; the bell rings when its turn has come.
    case wait
    /// No more may be begun.
    case spent
  }

  private struct Seat {
    var recipe: String
    var bell: Bell?
  }

  private struct State {
    var free: Int
    var allowance: Allowance
    /// The engines of the run, by the numbers that they were given in turn.
    var seats: [Int: Seat] = [:]
    var lastSeat = 0
    /// Those that wait, the next first.
    var queue: [Int] = []

    /// Who is to be told that its turn has come.
    var next: Bell? { free > 0 ? queue.first.flatMap { seats[$0]?.bell } : nil }
  }

  private let state: Mutex<State>
  /// What is begun at the most.
  let allowance: Allowance

  /// - Parameters:
  ///   - places: how many files are under way at once, at least 1.
  ///   - allowance: how much is begun at the most; what is under way already is finished in any case.
  package init(places: Int, allowance: Allowance = .all) {
    self.allowance = allowance
    state = Mutex(State(free: max(1, places), allowance: allowance))
  }

  /// Takes an engine in.
  package func join(_ recipe: String) -> GateSeat {
    let number = state.withLock { state in
      state.lastSeat += 1
      state.seats[state.lastSeat] = Seat(recipe: recipe)
      return state.lastSeat
    }
    return GateSeat(gate: self, number: number)
  }

  private func change<Value>(_ body: (inout State) -> Value) -> Value {
    let (value, next) = state.withLock { state in
      let value = body(&state)
      return (value, state.next)
    }
    next?.ring()
    return value
  }

  fileprivate func enter(_ seat: Int, _ load: Load, _ bell: Bell) -> Answer {
    change { state in
      guard state.seats[seat] != nil else { return .wait }
      if !state.queue.contains(seat) { state.queue.append(seat) }
      state.seats[seat]?.bell = bell
      guard state.free > 0, state.queue.first == seat else { return .wait }
      state.queue.removeFirst()
      switch load {
      case .new(let size):
        guard state.allowance.take(size) else { return .spent }
      case .resumed(let size): state.allowance.spend(size)
      case .step: break
      }
      state.free -= 1
      return .begun(Ticket(gate: self))
    }
  }

  fileprivate func withdraw(_ seat: Int) {
    change { state in state.queue.removeAll { $0 == seat } }
  }

  fileprivate func end(_ seat: Int) {
    change { state in
      state.queue.removeAll { $0 == seat }
      state.seats[seat] = nil
    }
  }

  fileprivate func rename(_ seat: Int, _ recipe: String) {
    change { state in state.seats[seat]?.recipe = recipe }
  }

  fileprivate func leave() {
    change { state in state.free += 1 }
  }

  /// The recipe of `seat`, those of all that are there, and whether `seat` is the one that was there first.
  fileprivate func company(of seat: Int) -> (own: String?, recipes: Set<String>, isFirst: Bool) {
    state.withLock { state in
      (
        state.seats[seat]?.recipe, Set(state.seats.values.map(\.recipe)), state.seats.keys.min() == seat
      )
    }
  }
}

/// What a file needs a place for.
enum Load: Sendable {
  /// It is begun, with so many bytes.
  case new(Int64)
  /// An earlier run began it.
  case resumed(Int64)
  /// Something is left to do with it that sends nothing.
  case step
}

/// A file's place; it is free again once that is ended.
final class Ticket: Sendable {
  private let gate: Gate
  private let isOver = Atomic(false)

  fileprivate init(gate: Gate) {
    self.gate = gate
  }

  func end() {
    if !isOver.exchange(true, ordering: .acquiringAndReleasing) { gate.leave() }
  }
}

/// An engine's part in a gate.
package final class GateSeat: Sendable {
  private let gate: Gate
  private let number: Int

  fileprivate init(gate: Gate, number: Int) {
    self.gate = gate
    self.number = number
  }

  deinit { gate.end(number) }

  var allowance: Allowance { gate.allowance }

  /// Notes that the recipe has another name.
  package func rename(_ recipe: String) { gate.rename(number, recipe) }

  /// Gives the part up: the engine has nothing under way any more.
  package func leave() { gate.end(number) }

  /// Asks for a place. One that has to wait asks again when `bell` rings, or withdraws.
  func enter(_ load: Load, bell: Bell) -> Gate.Answer { gate.enter(number, load, bell) }

  /// Whether there are other engines.
  var isShared: Bool { gate.company(of: number).recipes.count > 1 }

  /// Waits no more.
  func withdraw() { gate.withdraw(number) }

  /// What is this engine's duty in a request for jobs.
  func duty(in request: JobRequest) -> RequestDuty {
    let (own, recipes, isFirst) = gate.company(of: number)
    return RequestDuty(of: request.selection, for: own, among: recipes, isFirst: isFirst)
  }
}
