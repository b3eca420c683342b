import FileSessions
import Workspace

/// Ingests what a recipe says, once: discovers, decides, delivers, and does what is left to do afterwards.
///
/// Files that an earlier run left under way come first. Discovery is read page by page, so that a million
/// candidates never sit in memory; at most `transfers` files are under way at once, and a session is opened
/// only when there is room to send its bytes.
package struct Engine: Sendable {
  let recipe: any Recipe
  let profile: String
  let service: any FileService
  let ledger: any Ledger
  let workspace: Workspace
  let types: MIMETypes
  let transfers: Int
  let allowance: Allowance
  let retry: Retrier
  let clock: WallClock
  let newKey: @Sendable () -> String
  let stop: StopSignal
  let report: @Sendable (RunEvent) -> Void
  /// What a dry run is noted in; nil in a real one.
  package var plan: Plan?

  /// Candidates that are looked up, and decided about, at once.
  static let pageSize = 256
  /// How often a file may change under way before it is given up for this run.
  static let mostChanges = 3

  /// - Parameters:
  ///   - profile: the destination's name; jobs are kept under it.
  ///   - transfers: how many files are under way at once, at least 1.
  ///   - allowance: how much is begun at the most in a run; what is under way already is finished in any case.
  ///   - newKey: gives idempotency keys that were never given before.
  ///   - stop: ends the run early.
  ///   - report: is told what happens; called from many tasks, one event at a time for each file.
  package init(
    recipe: any Recipe, profile: String, service: any FileService, ledger: any Ledger, workspace: Workspace,
    types: MIMETypes, transfers: Int, allowance: Allowance = .all, retry: Retrier, clock: WallClock,
    newKey: @escaping @Sendable () -> String,
    stop: StopSignal = StopSignal(), report: @escaping @Sendable (RunEvent) -> Void
  ) {
    self.recipe = recipe
    self.profile = profile
    self.service = service
    self.ledger = ledger
    self.workspace = workspace
    self.types = types
    self.transfers = max(1, transfers)
    self.allowance = allowance
    self.retry = retry
    self.clock = clock
    self.newKey = newKey
    self.stop = stop
    self.report = report
  }

  var courier: Courier {
    Courier(
      service: service, ledger: ledger, workspace: workspace, retry: retry, clock: clock, newKey: newKey,
      report: report, followsCompleted: recipe.handlesCompleted, followsFailed: recipe.handlesFailed)
  }

  var aftercare: Aftercare {
    Aftercare(recipe: recipe, ledger: ledger, workspace: workspace, report: report)
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
        let settler = await Settler(for: self, discovery)
        try await discover(discovery, intake, settler, &slots, &group)
        try await waitForSettling(settler, &slots, &group)
        await slots.drain(&group)
        try await answer(try await ledger.requests().open, &slots, &group)
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
    report(.began(recipe: recipe.name, profile: profile))
    var tally = await withTaskGroup(of: Landing.self) { group in
      var slots = Slots(limit: transfers, bell: bell, now: clock.now)
      slots.allowance = allowance
      do {
        try await body(&slots, &group)
      } catch let error as LedgerError {
        // A cancelled task cannot read the ledger any more; that is no fault of the ledger.
        slots.tally.stop(Task.isCancelled ? .requested : .ledger(error.message))
      } catch {
        slots.tally.add(.problem)
        let failure = error as? Failure
        report(.problem(path: recipe.name, message: failure?.message ?? "\(error)", trace: failure?.trace))
      }
      await slots.drain(&group)
      for _ in 0..<slots.room.settling { slots.tally.add(.left) }
      if slots.isSpent { slots.tally.stop(.limit(allowance)) }
      return slots.tally
    }
    if let reason = recipe.quarantine { tally.stop(.quarantine(reason)) }
    if stop.isRequested || Task.isCancelled { tally.stop(.requested) }
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
    let unfinished = try await ledger.unfinished(profile: profile, recipe: recipe.name)
    for job in unfinished where !slots.underWay.contains(job.key.path) {
      if await isStillDue(job) { jobs.append(job) }
    }
    if !jobs.isEmpty { report(.resuming(jobs: jobs.count)) }
    plan?.begin(jobs.map { ($0.key.path, $0.stamp.size) }, resumed: true)
    for job in jobs {
      slots.tally.summary.found += 1
      plan?.stands(job)
      if !job.phase.isUnderWay {
        reportStanding(job, isNew: false)
        slots.tally.add(Outcome(standing: job))
      }
      await submit(job, resumed: true, &slots, &group)
    }
    if isFirst { await slots.drain(&group) }
    plan?.end()
    return Set(jobs.map(\.key.path))
  }

  /// Whether what an earlier run left to do is still to be done.
  ///
  /// What was to follow on giving a file up is void when the file or the recipe has changed since: then it is
  /// asked again instead. Once it is settled where the file goes, it goes there.
  private func isStillDue(_ job: Job) async -> Bool {
    guard job.phase == .failed, job.step?.destination == nil else { return true }
    let stamp = await offload { [workspace] in try? workspace.info(job.key.path).stamp }
    return stamp == job.stamp && job.recipeVersion == recipe.version
  }

  /// Whether anything new may be begun.
  func mayBegin(_ slots: Slots) -> Bool {
    !stop.isRequested && !slots.tally.isStopped && !Task.isCancelled && recipe.quarantine == nil
  }

  /// Begins with a file as soon as there is room, or counts it as left when the run is to end.
  func submit(
    _ job: Job, resumed: Bool, _ slots: inout Slots, _ group: inout Passages
  ) async {
    await slots.makeRoom(&group)
    guard mayBegin(slots) else {
      // What was given up is counted as that; only what would have followed is left.
      if job.phase.isUnderWay { slots.tally.add(.left) }
      return
    }
    if resumed {
      if job.phase.isUnderWay, job.phase != .completed { slots.allowance.spend(job.stamp.size) }
    } else if job.phase == .decided, !slots.allowance.take(job.stamp.size) {
      slots.tally.add(.left)
      plan?.remark(job.key.path, .left)
      slots.isSpent = true
      return
    }
    let passage = Passage(engine: self)
    slots.begin(job.key.path, &group) {
      await passage.pass(job, resumed: resumed)
    }
  }
}
