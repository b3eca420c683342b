import FileSessions
import Workspace

/// A file that goes in parts: each is delivered as a job of its own, one after the other in the whole's place, and
/// the whole is done when all of them are.
extension Passage {
  func carryParts(of whole: Job, resumed: Bool) async throws(LedgerError) -> Passed {
    let (entry, duplicate) = try await engine.admit(whole, isResumed: resumed, ticket)
    defer { if let entry { engine.contents.leave(entry) } }
    if let duplicate {
      engine.reportStanding(duplicate, isNew: true)
      return try await finish(duplicate)
    }
    var whole = whole
    var progress = Progress()
    if !resumed { whole = try await engine.ledger.record(LedgerChange(whole)) }
    let parts = try await parts(of: whole)
    // What has arrived stays so, whatever the file and the recipe are by now: only what follows is left to do.
    if resumed, !parts.allSatisfy({ $0.isRecorded && $0.job.hasArrived }) {
      progress.isOvertaken = await situation(of: whole) == .overtaken
    }
    engine.plan?.begin(parts.map { ($0.job, $0.isRecorded) }, of: whole)
    for part in parts {
      guard !engine.stop.isRequested, !Task.isCancelled, engine.recipe.quarantine == nil else {
        return Passed(outcome: .left)
      }
      try await carry(part, &progress)
      if let stop = progress.stop { return Passed(outcome: .stop(stop)) }
    }
    if progress.isOvertaken, progress.arrived < parts.count {
      // It enters anew with what is decided now; while it is still in, it would wait for itself.
      if let entry { engine.contents.leave(entry) }
      return try await beginAnew(whole, countsAsChange: !resumed)
    }
    return try await close(whole, progress)
  }

  /// A part; whether this decision has recorded its job already; and else what an earlier one recorded.
  private typealias Part = (job: Job, isRecorded: Bool, earlier: Job?)

  private func parts(of whole: Job) async throws(LedgerError) -> [Part] {
    let jobs = (whole.preparation?.parts ?? []).compactMap { Job($0, of: whole) }
    let recorded = try await engine.ledger.jobs(
      profile: engine.profile, recipe: engine.recipe.name, paths: jobs.map(\.key.path))
    return jobs.map { job in
      guard let earlier = recorded[job.key.path] else { return (job, false, nil) }
      if earlier.preparation?.batch == job.preparation?.batch { return (earlier, true, nil) }
      var job = job
      job.revision = earlier.revision
      return (job, false, earlier)
    }
  }

  private func carry(_ part: Part, _ progress: inout Progress) async throws(LedgerError) {
    var job = part.job
    if job.phase.isUnderWay, job.phase != .completed {
      if !part.isRecorded {
        if progress.isOvertaken { return }
        var earlier = part.earlier
        if let sent = earlier, sent.phase == .completed {
          // What was to follow on it has failed, and comes first.
          let settled = try await engine.aftercare(teller).settle(sent)
          if case .failed = settled.ending {
            progress.stepAgain = turn(of: settled.job.step)
            return
          }
          earlier = settled.job
          job.revision = settled.job.revision
        }
        if let known = try await recognized(job, as: earlier) { return progress.add(known) }
        job.idempotencyKey = engine.newKey()
      }
      let situation: Delivery.Situation =
        progress.isOvertaken ? .overtaken : part.isRecorded ? .resumed : .fresh
      let delivered = try await engine.courier(teller, ticket).deliver(job, situation: situation)
      job = delivered.job
      switch delivered.ending {
      case .delivered:
        if let session = job.session { engine.report(.sent(job.key.path, session)) }
        progress.sent += 1
        progress.bytes += job.bytesToSend
      case .failed:
        // Told with the whole, whose failure it is.
        engine.report(.left(job.key.path))
      case .away(let error):
        progress.stop = Task.isCancelled ? .requested : .service(error)
        return
      case .decideAgain:
        progress.isOvertaken = true
        return
      }
    }
    if job.phase == .completed {
      let settled = try await engine.aftercare(teller).settle(job)
      job = settled.job
      if case .failed = settled.ending { progress.stepAgain = turn(of: job.step) }
    }
    progress.add(job)
  }

  /// The part as sent already, where an earlier decision about the whole sent just these bytes under its name.
  private func recognized(_ part: Job, as earlier: Job?) async throws(LedgerError) -> Job? {
    let versions = try await engine.ledger.sentVersions(of: part.key).filter { $0.size == part.bytesToSend }
    guard !versions.isEmpty else { return nil }
    let fingerprint = await offload { [workspace = engine.workspace] in
      guard let content = try? part.content(in: workspace) else { return nil as (FileStamp, MD5Digest)? }
      return (try? content.workspace.fingerprint(of: content.path)) ?? nil
    }
    guard let (stamp, md5) = fingerprint, stamp == part.contentStamp,
      versions.contains(where: { $0.md5 == md5 })
    else { return nil }
    var known = part
    known.phase = .done
    known.md5 = md5
    if let earlier, earlier.phase == .done, earlier.md5 == md5 {
      known.session = earlier.session
      known.preparation?.action = earlier.preparation?.action
    }
    engine.report(.touched(part.key.path))
    return try await engine.ledger.record(LedgerChange(known))
  }

  /// Asks the recipe about the whole as it is now. No session of a part is open.
  private func beginAnew(_ whole: Job, countsAsChange: Bool) async throws(LedgerError) -> Passed {
    if let problem = await vanishedRoot(of: whole) {
      engine.report(.problem(path: whole.key.path.string, message: problem))
      return Passed(outcome: .problem)
    }
    guard let next = try await decideAgain(whole, countsAsChange: countsAsChange) else {
      return Passed(outcome: .left)
    }
    return try await go(on: next, resumed: false)
  }

  /// Records what became of the whole, and does with it what is to be done.
  private func close(_ whole: Job, _ progress: Progress) async throws(LedgerError) -> Passed {
    var whole = whole
    let outcome: Outcome = progress.sent > 0 ? .sent(bytes: progress.bytes) : .alreadyDone
    // The next run does what is left for that part, and then closes the whole.
    if let due = progress.stepAgain {
      whole.dueAt = due
      let hasArrived = progress.arrived == whole.preparation?.parts.count
      let sent = hasArrived ? sentVersion(of: whole, progress) : nil
      _ = try await engine.ledger.record(LedgerChange(whole, sent: sent))
      return Passed(outcome: progress.failures.isEmpty ? outcome : .failed, stepAgain: due)
    }
    if let failure = progress.failure(of: whole.preparation?.parts.count ?? 0) {
      engine.fail(&whole, failure)
      whole = try await engine.ledger.record(LedgerChange(whole))
      engine.reportStanding(whole, isNew: true)
      return try await finish(whole)
    }
    whole.phase = .done
    whole.dueAt = nil
    if let action = progress.action {
      whole.phase = .completed
      var step = AfterStep()
      step.isHandled = true
      step.action = action
      whole.step = step
    }
    let sent = sentVersion(of: whole, progress)
    whole = try await engine.ledger.record(LedgerChange(whole, sent: sent))
    if let sent, engine.recipe.sendsContentOnce { engine.plan?.note(sent.md5, of: whole) }
    await noteOthers(of: whole)
    return try await finish(whole, as: outcome)
  }

  private func sentVersion(of whole: Job, _ progress: Progress) -> SentVersion? {
    whole.preparation.map { SentVersion(of: whole, md5: $0.origin, sessionID: progress.sessionID ?? "") }
  }
}

extension Passage {
  /// What has become of the parts so far.
  private struct Progress {
    /// Sent by this run.
    var sent = 0
    /// Sent by this run or an earlier one.
    var arrived = 0
    var bytes: Int64 = 0
    var failures: [(name: String, failure: Failure)] = []
    /// Where what was to be done after some were sent failed: when it is tried again.
    var stepAgain: Timestamp?
    /// The whole, or the recipe, is another: nothing new is begun, and what is open is cancelled.
    var isOvertaken = false
    /// What the last part that wanted something wants done with the whole.
    var action: AfterAction?
    /// Of the last part that was sent.
    var sessionID: String?
    /// Why the run has to end.
    var stop: RunSummary.Stop?

    /// Notes how a part ended.
    mutating func add(_ part: Job) {
      if part.hasArrived { arrived += 1 }
      if part.phase == .failed, let failure = part.failure { failures.append((part.key.path.name, failure)) }
      action = part.preparation?.action ?? action
      sessionID = part.session?.id ?? sessionID
    }

    /// Why a file of `count` parts failed; nil when none of them did.
    func failure(of count: Int) -> Failure? {
      guard let (name, first) = failures.first else { return nil }
      var failure = first.about(part: name)
      if count > 1 { failure.message = "\(failures.count) of \(count) parts failed; " + failure.message }
      return failure
    }
  }
}

extension Job {
  /// Whether its session is `COMPLETED`.
  fileprivate var hasArrived: Bool { phase == .completed || phase == .done }

  /// The job of a part as it is decided; nil where its name is none.
  fileprivate init?(_ part: Preparation.Part, of whole: Job) {
    guard let path = try? whole.key.path.appending(part.name), let preparation = whole.preparation else {
      return nil
    }
    var key = whole.key
    key.path = path
    self.init(
      key: key, relative: whole.relative, phase: .decided, stamp: whole.stamp,
      recipeVersion: whole.recipeVersion)
    request = part.request
    offered = whole.offered
    deciders = whole.deciders
    ownData = part.data.map(JobData.init(recorded:))
    self.preparation = Preparation(origin: preparation.origin)
    self.preparation?.content = part.content
    self.preparation?.whole = whole.key.path
    self.preparation?.batch = whole.idempotencyKey
  }
}
