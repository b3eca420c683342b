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
  let retry: Retrier
  let clock: WallClock
  let newKey: @Sendable () -> String
  let stop: StopSignal
  let report: @Sendable (RunEvent) -> Void

  /// Candidates that are looked up, and decided about, at once.
  static let pageSize = 256
  /// How often a file may change under way before it is given up for this run.
  static let mostChanges = 3

  /// - Parameters:
  ///   - profile: the destination's name; jobs are kept under it.
  ///   - transfers: how many files are under way at once, at least 1.
  ///   - newKey: gives idempotency keys that were never given before.
  ///   - stop: ends the run early.
  ///   - report: is told what happens; called from many tasks, one event at a time for each file.
  package init(
    recipe: any Recipe, profile: String, service: any FileService, ledger: any Ledger, workspace: Workspace,
    types: MIMETypes, transfers: Int, retry: Retrier, clock: WallClock,
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
    let began = clock.now
    report(.began(recipe: recipe.name, profile: profile))
    var tally = await withTaskGroup(of: Passed.self) { group in
      var slots = Slots(limit: transfers)
      do {
        let resumed = try await resume(&slots, &group)
        try await discover(except: resumed, &slots, &group)
      } catch let error as LedgerError {
        // A cancelled task cannot read the ledger any more; that is no fault of the ledger.
        slots.tally.stop(Task.isCancelled ? .requested : .ledger(error.message))
      } catch {
        slots.tally.add(.problem)
        let failure = error as? Failure
        report(.problem(path: recipe.name, message: failure?.message ?? "\(error)", trace: failure?.trace))
      }
      await slots.drain(&group)
      return slots.tally
    }
    if let reason = recipe.quarantine { tally.stop(.quarantine(reason)) }
    if stop.isRequested || Task.isCancelled { tally.stop(.requested) }
    var summary = tally.summary
    summary.duration = clock.now - began
    do throws(Failure) {
      try await recipe.summary(summary)
    } catch {
      summary.problems += 1
      report(.problem(path: recipe.name, message: error.message, trace: error.trace))
    }
    report(.ended(summary))
    return summary
  }

  /// Takes up what an earlier run left under way, and tells which files those are.
  private func resume(
    _ slots: inout Slots, _ group: inout TaskGroup<Passed>
  ) async throws(LedgerError) -> Set<ProjectPath> {
    var jobs: [Job] = []
    for job in try await ledger.unfinished(profile: profile, recipe: recipe.name)
    where await isStillDue(job) {
      jobs.append(job)
    }
    if !jobs.isEmpty { report(.resuming(jobs: jobs.count)) }
    for job in jobs {
      slots.tally.summary.found += 1
      if !job.phase.isUnderWay {
        reportStanding(job, isNew: false)
        slots.tally.add(Outcome(standing: job))
      }
      await submit(job, resumed: true, &slots, &group)
    }
    await slots.drain(&group)
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
    _ job: Job, resumed: Bool, _ slots: inout Slots, _ group: inout TaskGroup<Passed>
  ) async {
    await slots.makeRoom(&group)
    guard mayBegin(slots) else {
      // What was given up is counted as that; only what would have followed is left.
      if job.phase.isUnderWay { slots.tally.add(.left) }
      return
    }
    let passage = Passage(engine: self)
    slots.begin(&group) {
      await passage.pass(job, resumed: resumed)
    }
  }
}
