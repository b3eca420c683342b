import FileSessions
import Workspace

/// How a tree is watched: begins a watch that rings whenever there is news.
package typealias WatchOpener =
  @Sendable (WatchOrder, _ notify: @escaping @Sendable () -> Void) throws -> any TreeWatch

extension Engine {
  /// How often discovery is taken again where the recipe does not say.
  package static let usualRediscovery = Duration.seconds(300)
  /// The same where the kernel tells of no changes.
  package static let usualPolling = Duration.seconds(30)

  /// Ingests what is there and then what comes, until it is stopped; tells what came of all of it.
  ///
  /// - Parameter open: begins to watch a tree; nil: the kernel does it.
  package func watch(through open: WatchOpener? = nil) async -> RunSummary {
    var engine = self
    engine.isWatching = true
    return await engine.keepWatch(through: open)
  }

  private func keepWatch(through open: WatchOpener?) async -> RunSummary {
    await conduct { slots, group in
      var vigil = try await Vigil(engine: self, open, bell: slots.bell)
      do {
        while mayBegin(slots) { try await vigil.turn(&slots, &group) }
      } catch {
        await vigil.close()
        throw error
      }
      await vigil.close()
      await slots.drain(&group)
      // It would have outlasted the outage, had it not been asked to end.
      if stop.isRequested, case .service? = slots.tally.summary.stop {
        slots.tally.summary.stop = .requested
      }
    }
  }
}

/// A watching engine's state between its turns. Decides what is to be done next.
private struct Vigil {
  private let engine: Engine
  private let settler: Settler
  private let walk: WalkSettings?
  private let tree: (any TreeWatch)?
  /// Nil once it was taken: a recipe's own names are asked for anew each time.
  private var first: Discovery?

  private var isPolling = false
  /// Whether the root cannot be reached.
  private var isAway = false
  private var isRepeat = false
  /// Whether the last look through everything came to its end.
  private var hasLooked = false
  private var nextPass: Timestamp
  private var outage = Outage()
  /// How many files had been sent when the service was thought of last.
  private var sentBefore = 0
  /// Whether somebody wants nothing new to be begun.
  private var isPaused = false
  /// When the hours begin, outside of which nothing is begun; nil in them.
  private var closedUntil: Timestamp?

  init(engine: Engine, _ open: WatchOpener?, bell: Bell) async throws {
    self.engine = engine
    let discovery = try await engine.recipe.discovery()
    first = discovery
    settler = await Settler(for: engine, discovery)
    nextPass = engine.clock.now
    guard case .walk(let walk) = discovery else {
      self.walk = nil
      tree = nil
      return
    }
    self.walk = walk
    let ready = settler.settling.ready
    let order = WatchOrder(
      root: walk.root, globs: walk.globs, hidden: walk.hidden, also: { ready?.isMarker($0) == true })
    // Watched before it is walked, so that nothing is missed in between.
    tree = try await offload { [workspace = engine.workspace] () throws -> any TreeWatch in
      if let open { return try open(order) { bell.ring() } }
      return try workspace.watch(order) { bell.ring() }
    }
  }

  func close() async {
    if let tree { await offload { tree.close() } }
  }

  /// Does what is to be done now, and waits until there may be more.
  mutating func turn(_ slots: inout Slots, _ group: inout Passages) async throws {
    slots.tally.restart(now: now)
    // Those that have landed may say that the service is away, which is no reason to end here.
    await slots.reap(&group)
    await heedOutage(&slots, &group)
    if let news = tree?.take() { await take(news, &slots) }
    try await heedRequests(&slots, &group)
    heedHours(&slots)
    if isAllowed {
      if nextPass <= now { try await pass(&slots, &group) }
      try await engine.lookAgain(
        trustsTimes: !isPolling, settler, &slots, &group)
      try await engine.bringBackDue(trustsTimes: !isPolling, settler, &slots, &group)
      try await engine.depart(&slots, &group)
    }
    await slots.reap(&group)
    await heedOutage(&slots, &group)
    await heedPause(&slots, &group)
    heedHours(&slots)
    guard engine.mayBegin(slots) else { return }
    await tellIfIdle(&slots)
    await settler.wait(for: nextMoment(slots), &slots)
  }

  private var now: Timestamp { engine.clock.now }

  /// Whether files can be looked at and sent.
  private var isAllowed: Bool { !isAway && !isPaused && closedUntil == nil && !outage.isPausing(now: now) }

  private var interval: Duration {
    engine.recipe.rediscovery ?? (isPolling ? Engine.usualPolling : Engine.usualRediscovery)
  }

  private func nextMoment(_ slots: Slots) -> Timestamp {
    let attention = now + Engine.attention
    if let until = outage.until ?? closedUntil { return min(until, attention) }
    if isAway || isPaused { return attention }
    return min(
      nextPass, slots.room.nextDue ?? nextPass, slots.encores.nextDue ?? nextPass, attention)
  }

  // MARK: - Discovery

  /// Takes up what was left, and looks through everything.
  private mutating func pass(_ slots: inout Slots, _ group: inout Passages) async throws {
    slots.tally.lookAnew()
    let resumed = try await engine.resume(isFirst: !isRepeat, &slots, &group)
    let intake = Intake(
      resumed: resumed, isRepeat: isRepeat, trustsTimes: !isPolling || !isRepeat)
    hasLooked = false
    do {
      let discovery = if let first { first } else { try await engine.recipe.discovery() }
      first = nil
      engine.seat.look(discovery, of: engine.recipe, now: now)
      try await engine.discover(discovery, intake, settler, &slots, &group)
      (isRepeat, hasLooked) = (true, true)
    } catch let error as LedgerError {
      throw error
    } catch {
      // What cannot be looked through now is tried again: the root may be on its way back.
      slots.tally.add(.problem)
      engine.report(
        .problem(path: engine.recipe.name, message: (error as? Failure)?.message ?? "\(error)"))
    }
    // From its end: a walk that takes long is not followed by the next one at once.
    nextPass = now + interval
  }

  private mutating func take(_ news: TreeNews, _ slots: inout Slots) async {
    for notice in news.notices { take(notice, &slots) }
    if news.rescan != nil { nextPass = now }
    for path in news.changed {
      if slots.room.isFull {
        // The walk finds the rest once there is room.
        nextPass = min(nextPass, now + settler.quiet)
        return
      }
      switch settler.settling.withholding(path) {
      case .marker?: await take(marker: path, &slots)
      case .inProgress?, .waiting?, .changing?: break
      case nil: settler.hold(path, &slots)
      }
    }
  }

  private mutating func take(_ notice: WatchNotice, _ slots: inout Slots) {
    let root = walk?.root.string ?? "."
    switch notice {
    case .watching(let directories):
      isPolling = false
      let noun = directories == 1 ? "directory" : "directories"
      engine.report(.watching("watching \(root): \(directories) \(noun)"))
    case .polling(let why):
      isPolling = true
      nextPass = min(nextPass, now + interval)
      engine.report(.watching("looking through \(root) every \(interval.words), since \(why)"))
    case .rootGone(let error):
      isAway = true
      slots.tally.add(.problem)
      engine.report(
        .problem(
          path: root, message: "\(error.message); nothing there counts as deleted, and it is waited for"))
    case .rootBack:
      isAway = false
      nextPass = now
      engine.report(.watching("\(root) is there again"))
    }
  }

  /// A marker came: the files that wait for it have their turn.
  private func take(marker: ProjectPath, _ slots: inout Slots) async {
    guard let ready = settler.settling.ready else { return }
    if let file = ready.file(of: marker) {
      settler.hold(file, &slots)
      return
    }
    guard let directory = marker.parent else { return }
    let names = await offload { [workspace = engine.workspace] in
      (try? workspace.list(directory))?.entries.filter { $0.kind == .file }.map(\.name) ?? []
    }
    for name in names {
      guard let file = try? directory.appending(name), ready.path(for: file) == marker,
        settler.settling.withholding(file) == nil
      else { continue }
      settler.hold(file, &slots)
    }
  }

  // MARK: - Rest

  /// Tells what was done once nothing is left to do.
  private func tellIfIdle(_ slots: inout Slots) async {
    guard isAllowed, isRepeat, slots.taken == 0, slots.room.settling == 0, nextPass > now else { return }
    if hasLooked { engine.seat.idle() }
    if slots.tally.isTold { return }
    await engine.summarize(&slots.tally)
    engine.report(.caughtUp(slots.tally.summary))
    slots.tally.turnPage(now: now)
  }

  /// Does what other processes ask for; what was to be tried again is looked for at once.
  private mutating func heedRequests(_ slots: inout Slots, _ group: inout Passages) async throws {
    try await engine.heedRequests(&slots, &group)
    if slots.wasAsked {
      slots.wasAsked = false
      nextPass = now
    }
    let goesOn = isPaused && !slots.tally.isStopped
    await heedPause(&slots, &group)
    if goesOn {
      isPaused = false
      nextPass = now
      engine.report(.watching("the pause is over"))
    }
  }

  /// Begins nothing new while somebody wants a pause, and goes on by itself when it is over.
  private mutating func heedPause(_ slots: inout Slots, _ group: inout Passages) async {
    guard case .paused(let pause)? = slots.tally.summary.stop else { return }
    await slots.drain(&group)
    guard slots.tally.mayGoOn else { return }
    slots.tally.goOn()
    if !isPaused { engine.report(.watching("paused since \(pause.since), until `moontide resume`")) }
    isPaused = true
  }

  /// Begins nothing new outside of the hours, and goes on by itself when they begin.
  private mutating func heedHours(_ slots: inout Slots) {
    let opening = engine.seat.terms.hours?.opening
    if slots.closedUntil != nil, !slots.tally.isStopped {
      slots.closedUntil = nil
      slots.tally.leaveOut()
    }
    if let opening {
      engine.tellHours(opening, &slots)
    } else if closedUntil != nil {
      slots.hasToldHours = false
      nextPass = now
    }
    closedUntil = opening
  }

  /// When the service is away, waits for it and goes on by itself.
  private mutating func heedOutage(_ slots: inout Slots, _ group: inout Passages) async {
    let sent = slots.tally.total.sent
    if sent > sentBefore { outage.pass() }
    sentBefore = sent
    if outage.isOver(now: now) { nextPass = now }
    guard case .service(let error)? = slots.tally.summary.stop else { return }
    await slots.drain(&group)
    guard slots.tally.mayGoOn else { return }
    let waiting = slots.tally.summary.left
    slots.tally.goOn()
    let wait = outage.begin(now: now)
    let why = error.pause(keyHint: engine.keyHint)
    let held = "paused: \(why); \(waiting) file\(waiting == 1 ? "" : "s") waiting"
    engine.report(.heldUp(held, until: now + wait))
    engine.report(
      .problem(path: engine.profile, message: "\(held). \(error) It is asked again in \(wait.words)."))
  }
}

/// How long a watching engine waits for a service that is away: ever longer, up to five minutes.
private struct Outage {
  private static let longest = Duration.seconds(300)
  private var wait = Duration.seconds(5)
  /// Until when nothing is asked of the service.
  private(set) var until: Timestamp?

  func isPausing(now: Timestamp) -> Bool { until.map { $0 > now } ?? false }

  mutating func begin(now: Timestamp) -> Duration {
    let wait = wait
    until = now + wait
    self.wait = min(wait * 2, Self.longest)
    return wait
  }

  /// Whether a wait has just ended.
  mutating func isOver(now: Timestamp) -> Bool {
    guard let until, until <= now else { return false }
    self.until = nil
    return true
  }

  /// The service answers again.
  mutating func pass() {
    if until == nil { wait = .seconds(5) }
  }
}

extension Duration {
  /// The duration for a person, in seconds.
  fileprivate var words: String {
    let seconds = inSeconds
    return seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
  }
}
