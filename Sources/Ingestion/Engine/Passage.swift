import FileSessions
import Workspace

/// One file's way through a run: delivery, decided again where the file changed, and what is done afterwards.
struct Passage: Sendable {
  let engine: Engine
  let ticket: Ticket

  func pass(_ job: Job, resumed: Bool) async -> Passed {
    do throws(LedgerError) {
      guard job.phase.isUnderWay else { return Passed(stepFailed: try await settle(job)) }
      return try await carry(job, resumed: resumed)
    } catch {
      // A cancelled task cannot read its record any more; that is no fault of the record.
      return Passed(outcome: .stop(Task.isCancelled ? .requested : .ledger(error.message)))
    }
  }

  private func carry(_ job: Job, resumed: Bool) async throws(LedgerError) -> Passed {
    var job = job
    var situation = resumed ? await situation(of: job) : Delivery.Situation.fresh
    while job.phase.isUnderWay, job.phase != .completed {
      let delivered = try await engine.courier(ticket).deliver(job, situation: situation)
      job = delivered.job
      switch delivered.ending {
      case .delivered:
        await noteOthers(of: job)
        if let session = job.session { engine.report(.sent(job.key.path, session)) }
        return Passed(outcome: .sent(bytes: job.stamp.size), stepFailed: try await settle(job))
      case .failed:
        break
      case .away(let error):
        return Passed(outcome: .stop(Task.isCancelled ? .requested : .service(error)))
      case .decideAgain:
        if let problem = await vanishedRoot(of: job) {
          engine.report(.problem(path: job.key.path.string, message: problem))
          return Passed(outcome: .problem)
        }
        guard let next = try await decideAgain(job, countsAsChange: situation == .fresh) else {
          return Passed(outcome: .left)
        }
        job = next
        situation = .fresh
      }
    }
    engine.reportStanding(job, isNew: true)
    return Passed(outcome: Outcome(standing: job), stepFailed: try await settle(job))
  }

  /// Tells of other recipes that the same file was sent for.
  private func noteOthers(of job: Job) async {
    // It only is worth knowing: what keeps it from being known is found where it matters.
    guard let others = try? await engine.ledger.otherRecipes(of: job.key), !others.isEmpty else { return }
    engine.report(.noted(job.key.path, "was sent for \(others.joined(separator: ", ")) too: a job for each"))
  }

  /// Whether what an earlier run began is still about the same file and the same recipe.
  private func situation(of job: Job) async -> Delivery.Situation {
    let path = job.key.path
    let stamp = await offload { [workspace = engine.workspace] in try? workspace.info(path).stamp }
    // A session that is open is finished even when the recipe has changed: it was decided about.
    let isDecided = job.phase != .decided || job.recipeVersion == engine.recipe.version
    return stamp == job.stamp && isDecided ? .resumed : .overtaken
  }

  /// Why a file that is not there is not taken for deleted; nil when it may be. The record stays for when it is back.
  private func vanishedRoot(of job: Job) async -> String? {
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

  private func settle(_ job: Job) async throws(LedgerError) -> Bool {
    if case .failed = try await engine.aftercare.settle(job).ending { return true }
    return false
  }

  /// Asks the recipe about the file as it is now; nil when it is not to be asked any more. No session is open
  /// for the file, and until there is an answer the record stays as it is.
  private func decideAgain(_ job: Job, countsAsChange: Bool) async throws(LedgerError) -> Job? {
    let path = job.key.path
    var failed = job
    failed.phase = .failed
    let info: FileInfo
    do throws(WorkspaceError) {
      info = try await offload { [workspace = engine.workspace] () throws(WorkspaceError) in
        try workspace.info(path)
      }
    } catch {
      let isGone = error.code == .notFound
      failed.failure = Failure(.file, isGone ? "The file was gone before it could be sent." : error.message)
      return try await engine.ledger.record(LedgerChange(failed))
    }
    let changes = job.changes + (countsAsChange ? 1 : 0)
    guard changes <= Engine.mostChanges else {
      failed.failure = Failure(.changing, "The file changed \(changes) times while it was being sent.")
      return try await engine.ledger.record(LedgerChange(failed))
    }
    let candidate = Candidate(key: job.key, relative: job.relative, stamp: info.stamp)
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

extension Outcome {
  /// The outcome of a file that ended without being sent.
  init(standing job: Job) {
    switch job.phase {
    case .skipped: self = .skipped
    case .deferred: self = .deferred
    case .failed: self = job.failure?.kind == .rejected ? .rejected : .failed
    case .decided, .opened, .uploaded, .completed, .done: self = .alreadyDone
    }
  }
}

extension Job {
  /// The root that the file was discovered below; nil where the path does not tell.
  fileprivate var root: ProjectPath? {
    let below = relative.split(separator: "/").count
    return try? ProjectPath(key.path.components.dropLast(below).joined(separator: "/"))
  }
}
