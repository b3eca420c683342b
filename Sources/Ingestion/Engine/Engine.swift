import FileSessions
import Workspace

/// Ingests what a recipe says, once: discovers, decides, delivers, and does what is left to do afterwards.
///
/// Files that an earlier run left under way come first. Discovery is read page by page, so that a million
/// candidates never sit in memory; a session is opened only when there is a place, of those that engines share, to
/// send its bytes.
package struct Engine: Sendable {
  let recipe: any Recipe
  let profile: String
  let service: any FileService
  let ledger: any Ledger
  let workspace: Workspace
  let types: MIMETypes
  let seat: GateSeat
  let order: CandidateOrder?
  let retry: Retrier
  let clock: WallClock
  let newKey: @Sendable () -> String
  let stop: StopSignal
  let report: @Sendable (RunEvent) -> Void
  let patience: (@Sendable (Duration) async throws -> Void)?
  /// Where files pass whose content is to be sent once.
  let contents = ContentGate()
  /// Whether it goes on with what comes.
  var isWatching = false
  /// The key to the service as people are told of it; nil where there is none.
  package var keyHint: String?
  /// What a dry run is noted in; nil in a real one.
  package var plan: Plan?

  var comeback: Comeback { isWatching ? .watching : plan == nil ? .once : .never }

  /// Candidates that are looked up, and decided about, at once.
  static let pageSize = 256
  /// The same where each may take room on the disk until it is sent.
  static let preparingPageSize = 16
  /// How many candidates are decided about at once.
  var page: Int { recipe.prepares ? Self.preparingPageSize : Self.pageSize }
  /// How often a file may change under way before it is given up for this run.
  static let mostChanges = 3

  /// - Parameters:
  ///   - profile: the destination's name; jobs are kept under it.
  ///   - seat: the part in the places that engines share.
  ///   - order: in which candidates are taken, whatever the recipe says; nil: as it says.
  ///   - newKey: gives idempotency keys that were never given before.
  ///   - stop: ends the run early.
  ///   - patience: waits between two looks at what other processes want, also while files are waited for; nil: it
  ///     is only looked when there is something to do.
  ///   - report: is told what happens; called from many tasks, one event at a time for each file.
  package init(
    recipe: any Recipe, profile: String, service: any FileService, ledger: any Ledger, workspace: Workspace,
    types: MIMETypes, seat: GateSeat, order: CandidateOrder? = nil, retry: Retrier, clock: WallClock,
    newKey: @escaping @Sendable () -> String, stop: StopSignal = StopSignal(),
    patience: (@Sendable (Duration) async throws -> Void)? = nil,
    report: @escaping @Sendable (RunEvent) -> Void
  ) {
    self.recipe = recipe
    self.profile = profile
    self.service = service
    self.ledger = ledger
    self.workspace = workspace
    self.types = types
    self.seat = seat
    self.order = order ?? recipe.order
    self.retry = recipe.retries.map(retry.following) ?? retry
    self.clock = clock
    self.newKey = newKey
    self.stop = stop
    self.patience = patience
    self.report = report
  }

  /// - Parameter teller: tells the recipe of statuses; nil where it does not want to know.
  func courier(_ teller: StatusTeller?, _ ticket: Ticket) -> Courier {
    Courier(
      service: service, ledger: ledger, workspace: workspace, retry: retry, clock: clock, newKey: newKey,
      report: report, teller: teller, followsCompleted: recipe.handlesCompleted || recipe.handlesStatus,
      fail: { fail(&$0, $1) }, ticket: ticket)
  }

  func aftercare(_ teller: StatusTeller?) -> Aftercare {
    Aftercare(
      recipe: recipe, teller: teller, ledger: ledger, workspace: workspace, clock: clock,
      wait: { comeback.wait(round: $0, chance: retry.chance()) }, shortestDeferral: shortestDeferral,
      farewell: Farewell(
        seat: seat, recipe: recipe.name, ledger: ledger, workspace: workspace, clock: clock,
        isPlanned: plan != nil, report: report),
      report: report)
  }

  /// Runs to the end, or until it is stopped, and tells what came of it.
  package func run() async -> RunSummary {
    await conduct { slots, group in
      try await heedRequests(&slots, &group)
      var intake = Intake(resumed: try await resume(&slots, &group))
      repeat {
        // What is asked for from here on may be about files that were looked at already.
        slots.wasAsked = false
        let discovery = try await recipe.discovery()
        seat.look(discovery, of: recipe, now: clock.now)
        let settler = await Settler(for: self, discovery)
        try await discover(discovery, intake, settler, &slots, &group)
        try await waitForSettling(settler, &slots, &group)
        await slots.drain(&group)
        try await lastRound(settler, &slots, &group)
        try await answer(try await ledger.requests().open, &slots, &group)
        try await forsakeParts(&slots, &group)
        if !slots.wasAsked { try await awaitDepartures(&slots, &group) }
        intake = Intake(isRepeat: true)
      } while slots.wasAsked && mayBegin(slots)
    }
  }

  /// Has `body` ingest, waits for what it began, and ends the run.
  func conduct(
    _ body: (inout Slots, inout Passages) async throws -> Void
  ) async -> RunSummary {
    let bell = Bell()
    stop.whenRequested { bell.ring() }
    seat.begin(bell: bell)
    report(.began(recipe: recipe.name, profile: profile))
    var tally = await withTaskGroup(of: Landing.self) { group in
      var slots = Slots(limit: recipe.concurrency ?? .max, bell: bell, now: clock.now, isWatching: isWatching)
      do {
        try await body(&slots, &group)
      } catch let error as LedgerError {
        // A cancelled task cannot read the ledger any more; that is no fault of the ledger.
        slots.tally.stop(Task.isCancelled ? .requested : .ledger(error.message))
      } catch {
        slots.tally.add(.problem)
        slots.tally.isCutShort = true
        let failure = error as? Failure
        report(.problem(path: recipe.name, message: failure?.message ?? "\(error)", trace: failure?.trace))
      }
      await slots.drain(&group)
      slots.countTheRest()
      if slots.isSpent { slots.tally.stop(.limit(seat.terms.allowance)) }
      if let opening = slots.closedUntil, let hours = seat.terms.hours {
        slots.tally.stop(.closed(hours: hours.window.description, opens: hours.text(opening)))
      }
      return slots.tally
    }
    if Task.isCancelled { await abandonSessions() }
    if let reason = recipe.quarantine { tally.stop(.quarantine(reason)) }
    if stop.isRequested || Task.isCancelled { tally.stop(.requested) }
    seat.end(early: tally.isStopped || tally.isCutShort)
    if !tally.isTold { await summarize(&tally) }
    report(.ended(tally.total))
    return tally.total
  }

  /// Tells the recipe what was done since it was told last, or since the beginning.
  func summarize(_ tally: inout Tally) async {
    tally.summary.duration = clock.now - tally.since
    do throws(Failure) {
      try await recipe.summary(tally.summary)
    } catch {
      tally.add(.problem)
      report(.problem(path: recipe.name, message: error.message, trace: error.trace))
    }
  }

  /// Takes up what an earlier run left under way, and tells which files those are.
  ///
  /// - Parameter isFirst: Whether they come before everything else, and so are waited for.
  func resume(
    isFirst: Bool = true, _ slots: inout Slots, _ group: inout Passages
  ) async throws(LedgerError) -> Set<ProjectPath> {
    var jobs: [Job] = []
    var parts: [Job] = []
    let age = slots.changes
    let unfinished = try await ledger.unfinished(profile: profile, recipe: recipe.name)
    let claimed = Set(unfinished.flatMap(\.partKeys))
    for job in unfinished where !slots.underWay.contains(job.key.path) {
      // Parts are their whole's business; what is to follow on one that arrived is left where that is given up.
      if job.isPart, job.phase != .completed || claimed.contains(job.key) {
        parts.append(job)
        continue
      }
      // What waits for other recipes has its turn by itself.
      if seat.isWaiting(job.key.path) { continue }
      // One that failed in this run has its turn by itself.
      if !isFirst, let due = job.step?.dueAt ?? job.dueAt, due > clock.now {
        slots.encores.add(job.key.path, .step, due: due)
        continue
      }
      if await isStillDue(job) { jobs.append(job) }
    }
    // What is under way is not among them.
    if isFirst { try await sweepLeftovers(of: unfinished) }
    if isFirst, recipe.prepares, slots.taken == 0 { await sweepWork(keeping: jobs) }
    if !jobs.isEmpty { report(.resuming(jobs: jobs.count)) }
    plan?.begin(jobs.map { ($0.key.path, $0.stamp.size) }, resumed: true)
    for job in jobs {
      // Of those that only wait for what follows this run has told already.
      let isCounted = !isFirst && (job.step != nil || job.dueAt != nil)
      if !isCounted { slots.tally.find(job.key.path) }
      plan?.stands(job)
      if !job.phase.isUnderWay, !isCounted { reportStanding(job, isNew: false) }
      try await submit(job, resumed: true, isCounted: isCounted, asOf: age, &slots, &group)
    }
    try await forsake(parts, &slots, &group)
    if isFirst { await slots.drain(&group) }
    plan?.end()
    return Set(jobs.map(\.key.path))
  }

  /// Whether what an earlier run left to do is still to be done.
  ///
  /// What was to follow on giving a file up is void when the file or the recipe has changed since: then it is
  /// asked again instead. Once it is settled where the file goes, it goes there.
  func isStillDue(_ job: Job) async -> Bool {
    guard job.isRevisable else { return true }
    let stamp = await offload { [workspace] in try? workspace.info(job.key.path).stamp }
    return stamp == job.stamp && job.stands(for: recipe.version)
  }

  /// Whether anything new may be begun.
  func mayBegin(_ slots: Slots) -> Bool {
    !stop.isRequested && !slots.tally.isStopped && !Task.isCancelled && recipe.quarantine == nil
  }
}
