import FileSessions
import Synchronization

/// The places for files under way, which all engines of a run share, and the terms on which they are given.
///
/// A place that becomes free goes to the engine that has waited longest, each of which waits with one file at a
/// time: a recipe with many files does not starve one with few.
package final class Gate: Sendable {
  /// When, and how much, may be begun.
  package struct Terms: Sendable {
    /// How much is begun at the most; what is under way already is finished in any case.
    package var allowance = Allowance.all
    /// How fast all of it is sent; nil: as the line allows.
    package var throttle: Throttle?
    /// The hours outside of which nothing is begun; nil: none.
    package var hours: OpeningHours?
    /// Whether their beginning is waited for; else files are left.
    package var waitsForHours = false
    /// The clock by which sessions live: no more are opened than the line can finish in time; nil: that is not looked
    /// after.
    package var clock: WallClock?

    package init() {}
  }

  /// What came of asking for a place.
  enum Answer: Sendable {
    case begun(Ticket)
    /// Others are before it, or enough is under way; the bell rings when that has changed.
    case wait
    /// No more may be begun.
    case spent
    /// Nothing is begun before that.
    case closed(until: Timestamp)
  }

  fileprivate struct Seat {
    var recipe: String
    var bell: Bell?
  }

  fileprivate struct State {
    var free: Int
    var allowance: Allowance
    /// The engines of the run, by the numbers that they were given in turn.
    var seats: [Int: Seat] = [:]
    var lastSeat = 0
    var lastTicket = 0
    /// Those that wait, the next first.
    var queue: [Int] = []
    var line = LineLoad()
    var meter = LineMeter()
    let places: Int
    /// Those that gave their place back for a while.
    var absent = 0
    /// Those of them that want it again, by their tickets; they come first.
    var returning: [(size: Int64, continuation: CheckedContinuation<Void, Never>, ticket: Int)] = []

    /// The places for new files. While no more may give theirs back, the last one is kept for those that come back:
    /// else all could be held by files that wait for them.
    var spare: Int { absent < places ? free : free - 1 }
    /// Who is to be told that its turn has come.
    var next: Bell? { spare > 0 ? queue.first.flatMap { seats[$0]?.bell } : nil }
  }

  private let state: Mutex<State>
  package let terms: Terms
  /// Who takes which file away when.
  let departures = Departures()

  /// - Parameter places: how many files are under way at once, at least 1.
  package init(places: Int, terms: Terms = Terms()) {
    self.terms = terms
    state = Mutex(State(free: max(1, places), allowance: terms.allowance, places: max(1, places)))
  }

  /// Takes an engine in.
  package func join(_ recipe: String) -> GateSeat {
    let number = state.withLock { state in
      state.lastSeat += 1
      state.seats[state.lastSeat] = Seat(recipe: recipe)
      return state.lastSeat
    }
    departures.join(number, recipe)
    return GateSeat(gate: self, number: number)
  }

  /// Changes the state, and tells the one whose turn may have come.
  private func change(_ body: (inout State) -> Void) {
    state.withLock { state in
      body(&state)
      return state.next
    }?.ring()
  }

  // MARK: - Places

  func enter(_ seat: Int, _ load: Load, _ bell: Bell) -> Answer {
    if load.sends, let opening = terms.hours?.opening {
      withdraw(seat)
      return .closed(until: opening)
    }
    let now = terms.clock?.now
    let lifetime = state.withLock { $0.line.lifetime }
    let limit = now == nil ? nil : terms.throttle?.average(over: lifetime / 2)
    let (answer, next) = state.withLock { state -> (Answer, Bell?) in
      guard state.seats[seat] != nil else { return (.spent, nil) }
      if !state.queue.contains(seat) { state.queue.append(seat) }
      state.seats[seat]?.bell = bell
      guard state.spare > 0, state.queue.first == seat else { return (.wait, nil) }
      let rate = [limit, state.meter.rate].compactMap { $0 }.min()
      if let now, load.sends, !state.line.admits(load.size, rate: rate, now: now) { return (.wait, nil) }
      state.queue.removeFirst()
      guard state.take(load) else { return (.spent, state.next) }
      state.free -= 1
      state.lastTicket += 1
      if let now, load.sends { state.line.begin(state.lastTicket, size: load.size, now: now) }
      let excess = now == nil ? nil : state.line.excess(of: load.size, rate: rate)
      let ticket = Ticket(
        gate: self, number: state.lastTicket, size: load.size,
        excess: excess.map { ($0, state.line.lifetime) })
      return (.begun(ticket), state.next)
    }
    next?.ring()
    return answer
  }

  func withdraw(_ seat: Int) {
    change { state in state.queue.removeAll { $0 == seat } }
  }

  func end(_ seat: Int) {
    change { state in
      state.queue.removeAll { $0 == seat }
      state.seats[seat] = nil
    }
    departures.leave(seat)
  }

  func rename(_ seat: Int, _ recipe: String) {
    change { state in state.seats[seat]?.recipe = recipe }
    departures.rename(seat, recipe)
  }

  // MARK: - Files under way

  fileprivate func leave(_ ticket: Int) {
    vacate(ticket)?.resume()
  }

  /// Frees a place; gives the one who is to be told that it has it.
  private func vacate(_ ticket: Int, forAWhile: Bool = false) -> CheckedContinuation<Void, Never>? {
    let now = terms.clock?.now
    var next: CheckedContinuation<Void, Never>?
    change { state in
      state.line.end(ticket)
      if forAWhile { state.absent += 1 }
      if state.returning.isEmpty {
        state.free += 1
      } else {
        let back = state.returning.removeFirst()
        state.absent -= 1
        if let now { state.line.begin(back.ticket, size: back.size, now: now) }
        next = back.continuation
      }
      if let now, state.line.isIdle { state.meter.rest(now: now) }
    }
    return next
  }

  /// Frees a place for as long as its file waits for another; false where as many as there are places wait already.
  fileprivate func pause(_ ticket: Int) -> Bool {
    let isAllowed = state.withLock { $0.absent < $0.places }
    if isAllowed { vacate(ticket, forAWhile: true)?.resume() }
    return isAllowed
  }

  /// Waits for a place again.
  fileprivate func goOn(_ ticket: Int, size: Int64) async {
    let now = terms.clock?.now
    await withCheckedContinuation { continuation in
      let isBack = state.withLock { state in
        guard state.free > 0 else {
          state.returning.append((size, continuation, ticket))
          return false
        }
        state.free -= 1
        state.absent -= 1
        if let now { state.line.begin(ticket, size: size, now: now) }
        return true
      }
      if isBack { continuation.resume() }
    }
  }

  fileprivate func opened(_ ticket: Int, _ session: FileSession) {
    guard let now = terms.clock?.now else { return }
    state.withLock { $0.line.open(ticket, session, now: now) }
  }

  /// - Parameter more: bytes that are known to be on the line.
  fileprivate func progress(_ ticket: Int, more: Int64, left: Int64) {
    guard let now = terms.clock?.now else { return }
    change { state in
      state.line.progress(ticket, left: left)
      if more > 0 { state.meter.add(more, now: now) }
      if state.line.isIdle { state.meter.rest(now: now) }
    }
  }

  // MARK: - Company

  /// The recipe of `seat`, those of all that are there, and whether `seat` is the one that was there first.
  func company(of seat: Int) -> (own: String?, recipes: Set<String>, isFirst: Bool) {
    state.withLock { state in
      (
        state.seats[seat]?.recipe, Set(state.seats.values.map(\.recipe)), state.seats.keys.min() == seat
      )
    }
  }
}

extension Gate.State {
  /// Takes what a file needs of the allowance; false when there is not enough of it.
  fileprivate mutating func take(_ load: Load) -> Bool {
    switch load {
    case .new(let size): return allowance.take(size)
    case .resumed(let size): allowance.spend(size)
    case .step: break
    }
    return true
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

  var size: Int64 {
    switch self {
    case .new(let size), .resumed(let size): size
    case .step: 0
    }
  }

  var sends: Bool {
    switch self {
    case .new, .resumed: true
    case .step: false
    }
  }
}

/// A file's place; it is free again once that is ended.
final class Ticket: Sendable {
  private let gate: Gate
  private let number: Int
  private let size: Int64
  /// How long the file takes, and how long its session lives, where that is less.
  let excess: (needed: Duration, lifetime: Duration)?
  private let done = Atomic<Int64>(0)
  /// What is read first goes into buffers, and says nothing of the line.
  private static let head: Int64 = 8 << 20
  private let isOver = Atomic(false)

  fileprivate init(
    gate: Gate, number: Int, size: Int64, excess: (needed: Duration, lifetime: Duration)?
  ) {
    self.gate = gate
    self.number = number
    self.size = size
    self.excess = excess
  }

  /// The file's session is known.
  func opened(_ session: FileSession) { gate.opened(number, session) }

  /// So many of its bytes were read for sending.
  func progress(_ bytes: Int64) {
    let before = done.exchange(bytes, ordering: .relaxed)
    gate.progress(number, more: max(0, bytes - max(before, Self.head)), left: size - bytes)
  }

  /// The bytes at the pace of all transfers.
  func paced(_ source: any ByteSource) -> any ByteSource {
    gate.terms.throttle?.source(source) ?? source
  }

  /// Waits for something else, without a place where that can be; has one again afterwards.
  func without(_ wait: () async -> Void) async {
    guard gate.pause(number) else { return await wait() }
    await wait()
    await gate.goOn(number, size: size)
  }

  func end() {
    if !isOver.exchange(true, ordering: .acquiringAndReleasing) { gate.leave(number) }
  }
}
