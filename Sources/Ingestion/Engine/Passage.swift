import FileSessions
import Workspace

/// One file's way through a run: delivery, decided again where the file changed, and what is done afterwards.
struct Passage: Sendable {
  let engine: Engine
  let ticket: Ticket
  let teller: StatusTeller?

  init(engine: Engine, ticket: Ticket) {
    self.engine = engine
    self.ticket = ticket
    teller =
      engine.recipe.handlesStatus ? StatusTeller(recipe: engine.recipe, report: engine.report) : nil
  }

  func pass(_ job: Job, resumed: Bool) async -> Passed {
    var passed = await go(job, resumed: resumed)
    await teller?.settle()
    passed.problems += teller?.problems ?? 0
    return passed
  }

  private func go(_ job: Job, resumed: Bool) async -> Passed {
    do throws(LedgerError) {
      guard job.phase.isUnderWay else { return try await finish(job) }
      if job.isPart { return try await forsake(job) }
      let passed = try await go(on: job, resumed: resumed)
      switch passed.outcome {
      case .stop, .problem, .left: engine.report(.left(job.key.path))
      case .sent, .alreadyDone, .touched, .skipped, .deferred, .waiting, .rejected, .failed, nil: break
      }
      return passed
    } catch {
      engine.report(.left(job.key.path))
      // A cancelled task cannot read its record any more; that is no fault of the record.
      return Passed(outcome: .stop(Task.isCancelled ? .requested : .ledger(error.message)))
    }
  }

  /// Brings a file to its end, or to where it cannot go on, in one piece or in parts.
  func go(on job: Job, resumed: Bool) async throws(LedgerError) -> Passed {
    try await job.isInParts && job.phase == .decided
      ? carryParts(of: job, resumed: resumed) : carry(job, resumed: resumed)
  }

  private func carry(_ job: Job, resumed: Bool) async throws(LedgerError) -> Passed {
    var job = job
    var situation = resumed ? await situation(of: job) : Delivery.Situation.fresh
    while job.phase.isUnderWay, job.phase != .completed {
      let delivered = try await deliver(job, situation)
      job = delivered.job
      switch delivered.ending {
      case nil:
        break
      case .delivered?:
        await noteOthers(of: job)
        if let session = job.session { engine.report(.sent(job.key.path, session)) }
        return try await finish(job, as: .sent(bytes: job.bytesToSend))
      case .failed?:
        break
      case .away(let error)?:
        return Passed(outcome: .stop(Task.isCancelled ? .requested : .service(error)))
      case .decideAgain?:
        if let problem = await vanishedRoot(of: job) {
          engine.report(.problem(path: job.key.path.string, message: problem))
          return Passed(outcome: .problem)
        }
        guard let next = try await decideAgain(job, countsAsChange: situation == .fresh) else {
          return Passed(outcome: .left)
        }
        if next.isInParts { return try await go(on: next, resumed: false) }
        job = next
        situation = .fresh
        if let request = next.request, next.phase == .decided {
          engine.report(.decided(next.key.path, request))
        }
      }
    }
    engine.reportStanding(job, isNew: true)
    return try await finish(job)
  }

  /// Delivers a file; there is no ending where its content was sent under another path, as its record then says.
  private func deliver(
    _ job: Job, _ situation: Delivery.Situation
  ) async throws(LedgerError) -> (job: Job, ending: Delivery.Ending?) {
    let (entry, duplicate) = try await engine.admit(job, isResumed: situation != .fresh, ticket)
    defer { if let entry { engine.contents.leave(entry) } }
    if let duplicate { return (duplicate, nil) }
    if let plan = engine.plan, let md5 = await entry?.md5(in: engine.workspace) { plan.note(md5, of: job) }
    return try await engine.courier(teller, ticket).deliver(job, situation: situation)
  }

  /// Tells of other recipes that the same file was sent for.
  func noteOthers(of job: Job) async {
    // It only is worth knowing: what keeps it from being known is found where it matters.
    guard let others = try? await engine.ledger.otherRecipes(of: job.key), !others.isEmpty else { return }
    engine.report(.noted(job.key.path, "was sent for \(others.joined(separator: ", ")) too: a job for each"))
  }

  /// Whether what an earlier run began is still about the same file and the same recipe.
  func situation(of job: Job) async -> Delivery.Situation {
    let path = job.origin
    let stamp = await offload { [workspace = engine.workspace] in try? workspace.info(path).stamp }
    // A session that is open is finished even when the recipe has changed: it was decided about.
    let isDecided = job.phase != .decided || job.recipeVersion == engine.recipe.version
    return stamp == job.stamp && isDecided ? .resumed : .overtaken
  }

  /// Why a file that is not there is not taken for deleted; nil when it may be. The record stays for when it is back.
  func vanishedRoot(of job: Job) async -> String? {
    await offload { [workspace = engine.workspace] in
      guard let root = job.root else { return nil }
      do throws(WorkspaceError) {
        _ = try workspace.info(root)
        return nil
      } catch {
        return "\(error.message); what was below it is not taken for deleted, and is sent once it is back"
      }
    }
  }

  /// Does what is to follow, and tells how the file stands then.
  func finish(_ job: Job, as outcome: Outcome? = nil) async throws(LedgerError) -> Passed {
    let (settled, ending) = try await engine.aftercare(teller).settle(job)
    await engine.clearWork(of: settled)
    engine.noteStay(of: settled)
    var passed = Passed(outcome: outcome ?? Outcome(standing: settled))
    if case .failed = ending, let step = settled.step {
      passed.stepAgain = turn(of: step)
    }
    if settled.comesBack {
      (passed.outcome, passed.again) = (nil, settled.dueAt)
    } else if settled.phase == .deferred {
      // What the recipe's `failed` wanted is not known yet.
      if job.phase == .failed { engine.reportStanding(settled, isNew: true) }
      if engine.isWatching { passed.again = settled.dueAt }
    }
    return passed
  }

  /// When a step that failed is tried again.
  func turn(of step: AfterStep?) -> Timestamp? {
    step.map { $0.dueAt ?? engine.clock.now }
  }

  private func fail(_ job: Job, _ failure: Failure) async throws(LedgerError) -> Job {
    var job = job
    engine.fail(&job, failure)
    return try await engine.ledger.record(LedgerChange(job))
  }

  /// Asks the recipe about the file as it is now; nil when it is not to be asked any more. No session is open
  /// for the file, and until there is an answer the record stays as it is.
  func decideAgain(_ job: Job, countsAsChange: Bool) async throws(LedgerError) -> Job? {
    let path = job.key.path
    let info: FileInfo
    do throws(WorkspaceError) {
      info = try await offload { [workspace = engine.workspace] () throws(WorkspaceError) in
        try workspace.info(path)
      }
    } catch {
      let isGone = error.code == .notFound
      return try await fail(
        job, Failure(.file, isGone ? "The file was gone before it could be sent." : error.message))
    }
    let changes = job.changes + (countsAsChange ? 1 : 0)
    guard changes <= Engine.mostChanges else {
      var job = job
      job.changes = changes
      return try await fail(
        job, Failure(.changing, "The file changed \(changes) times while it was being sent."))
    }
    let candidate = Candidate(
      key: job.key, relative: job.relative, stamp: info.stamp, data: job.offered)
    if let version = try await engine.sentVersion(of: candidate) {
      // What had been sent is back.
      var known = job
      known.recognize(version, stamp: info.stamp)
      engine.report(.touched(path))
      return try await engine.ledger.record(LedgerChange(known))
    }
    var ruling = try await engine.rulingOnChange(of: job.key)
    if ruling == nil { ruling = await engine.recipe.decide([candidate]).first }
    if ruling == .unasked { return nil }
    var next = await engine.job(for: candidate, by: ruling, over: job)
    next.changes = changes
    return next.phase == .decided ? next : try await engine.ledger.record(LedgerChange(next))
  }
}

extension Job {
  /// The root that the file was discovered below; nil where the path does not tell.
  fileprivate var root: ProjectPath? {
    let below = relative.split(separator: "/").count
    return try? ProjectPath(key.path.components.dropLast(below).joined(separator: "/"))
  }
}
