import FileSessions
import Workspace

/// Has candidates wait until they have stopped changing, in the places of a run.
struct Settler: Sendable {
  let settling: Settling
  /// For how long a file has to stay as it is.
  let quiet: Duration
  private let engine: Engine
  /// Where files are seen as a walk sees them; nil when the recipe names them by itself.
  private let walk: WalkSettings?

  /// What is found at a path that was waited for.
  enum Sight: Sendable {
    case file(Candidate)
    /// It is gone, or is nothing that discovery would offer.
    case nothing
    case problem(WorkspaceError)
  }

  init(for engine: Engine, _ discovery: Discovery) async {
    self.engine = engine
    walk = if case .walk(let walk) = discovery { walk } else { nil }
    settling = engine.recipe.settling
    let root = walk?.root ?? .root
    quiet = settling.quiet(
      on: await offload { [workspace = engine.workspace] in try? workspace.fileSystem(of: root) })
  }

  private var now: Timestamp { engine.clock.now }

  /// Those that may be decided about. The others wait in the room, or for their marker.
  func admit(
    _ candidates: [Candidate], _ intake: Intake, _ slots: inout Slots
  ) async -> Set<ProjectPath> {
    let unmarked = await unmarked(candidates)
    let now = now
    var admitted: Set<ProjectPath> = []
    for candidate in candidates {
      if let marker = unmarked[candidate.path] {
        if !intake.isRepeat {
          leave(candidate.path, .waiting(for: marker), &slots)
          engine.noteStay(at: candidate.path, stamp: candidate.stamp, isCertain: walk != nil)
        }
        continue
      }
      if intake.isSettled {
        admitted.insert(candidate.path)
        continue
      }
      var stillness = slots.room[candidate.path]?.stillness ?? Stillness(now: now)
      switch stillness.look(candidate.stamp, now: now, quiet: quiet, trustsTimes: intake.trustsTimes) {
      // One that waits was told of a moment ago, and has its turn.
      case .settled where slots.room[candidate.path]?.stillness == nil: admitted.insert(candidate.path)
      case .settled: break
      // A dry run waits for nothing.
      case .again where engine.plan != nil: leave(candidate.path, .changing, &slots)
      case .again(let due):
        slots.room.hold(
          WaitingRoom.Guest(path: candidate.path, stillness: stillness, due: due, data: candidate.data))
      }
    }
    return admitted
  }

  /// Has a path that changed just now wait.
  ///
  /// - Parameter data: what discovery gave with it; nil: what it gave before, if anything.
  func hold(_ path: ProjectPath, data: JobData? = nil, _ slots: inout Slots) {
    // One that is under way is looked at now and then, also where nothing has to be quiet.
    let wait = slots.underWay.contains(path) ? max(quiet, .seconds(1)) : quiet
    let known = slots.room[path]
    slots.room.hold(
      WaitingRoom.Guest(
        path: path, stillness: known?.stillness ?? Stillness(now: now), due: now + wait,
        data: data ?? known?.data))
  }

  /// Counts a file that is not taken in this run.
  func leave(_ path: ProjectPath, _ reason: Withholding, _ slots: inout Slots) {
    slots.tally.find(path)
    slots.tally.add(.waiting, of: path)
    engine.report(.waiting(path, reason))
  }

  /// Waits until the moment, or until something else happens.
  func wait(for moment: Timestamp?, _ slots: inout Slots) async {
    let before = now
    if let moment, moment <= before { return }
    await slots.bell.heard(
      within: moment.map { $0 - before }, sleep: engine.retry.sleep)
    let after = now
    if after < before { slots.room.clockWentBack(by: before - after) }
  }

  /// Takes a look at paths that waited.
  func look(at guests: [WaitingRoom.Guest]) async -> [Sight] {
    let (workspace, walk, profile, recipe) = (engine.workspace, walk, engine.profile, engine.recipe.name)
    return await offload {
      guests.map { guest in
        let path = guest.path
        switch walk.map({ workspace.explain(path, root: $0.root, globs: $0.globs, hidden: $0.hidden) }) {
        case nil, .visible?: break
        case .unreadable(let error)?: return .problem(error)
        case _?: return .nothing
        }
        switch workspace.walkItem(at: path) {
        case .file(let path, let relative, let stamp):
          let key = JobKey(profile: profile, recipe: recipe, path: path)
          return .file(
            Candidate(
              key: key, relative: walk.flatMap { path.relative(to: $0.root) } ?? relative, stamp: stamp,
              data: guest.data))
        case .problem(let error):
          return error.code == .notFound || error.code == .notRegular ? .nothing : .problem(error)
        }
      }
    }
  }

  /// The files whose marker is not there, with that marker.
  private func unmarked(_ candidates: [Candidate]) async -> [ProjectPath: ProjectPath] {
    guard let ready = settling.ready else { return [:] }
    let markers = candidates.compactMap { candidate in
      ready.path(for: candidate.path).map { (candidate.path, $0) }
    }
    return await offload { [workspace = engine.workspace] in
      let missing = markers.filter { (try? workspace.exists($0.1)) != true }
      return Dictionary(missing) { first, _ in first }
    }
  }
}

extension Engine {
  /// Waits for those that are settling, each for a limited time.
  func waitForSettling(
    _ settler: Settler, _ slots: inout Slots, _ group: inout Passages
  ) async throws(LedgerError) {
    while slots.room.settling > 0, mayBegin(slots) {
      await settler.wait(for: slots.room.nextDue, &slots)
      await slots.reap(&group)
      try await lookAgain(settler, &slots, &group)
    }
  }

  /// Looks at those whose time has come, and takes what has settled.
  func lookAgain(
    trustsTimes: Bool = true, _ settler: Settler, _ slots: inout Slots,
    _ group: inout Passages
  ) async throws(LedgerError) {
    let guests = slots.room.takeDue(now: clock.now, limit: page)
    if guests.isEmpty { return }
    var settled: [Candidate] = []
    for (guest, sight) in zip(guests, await settler.look(at: guests)) {
      switch sight {
      case .nothing: continue
      case .problem(let error):
        slots.tally.add(.problem)
        report(.problem(path: guest.path.string, message: error.message))
      case .file(let candidate) where slots.underWay.contains(guest.path):
        settler.hold(candidate.path, data: candidate.data, &slots)
      case .file(let candidate):
        let now = clock.now
        var guest = guest
        var stillness = guest.stillness ?? Stillness(now: now)
        let answer = stillness.look(
          candidate.stamp, now: now, quiet: settler.quiet, trustsTimes: trustsTimes)
        switch answer {
        case .settled: settled.append(candidate)
        case .again where !isWatching && stillness.isHopeless(now: now, quiet: settler.quiet):
          settler.leave(candidate.path, .changing, &slots)
        case .again(let due):
          guest.stillness = stillness
          guest.due = due
          slots.room.hold(guest)
        }
      }
    }
    if let order { settled.sort { order.precedes($0.stamp, $1.stamp) } }
    let intake = Intake(isRepeat: isWatching, isSettled: true)
    try await take(settled, intake, settler, &slots, &group)
  }

  /// Has a deferred file come back when it is due, while the run goes on.
  func comeBack(_ job: Job, _ slots: inout Slots) {
    if job.phase == .failed, let due = job.dueAt { slots.encores.add(job.key.path, .file, due: due) }
    // The others are found by the walk that comes when they are due.
    guard job.phase == .deferred, let due = job.dueAt, slots.room.count < WaitingRoom.capacity / 2,
      slots.room[job.key.path]?.stillness == nil
    else { return }
    slots.room.hold(WaitingRoom.Guest(path: job.key.path, due: due, data: job.offered))
  }
}
