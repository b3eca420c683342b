import FileSessions
import Workspace

/// What failed has its turn again by itself.
extension Engine {
  /// At the end of a run: once more what failed for reasons that may have passed. What fails now is given up.
  func lastRound(
    _ settler: Settler, _ slots: inout Slots, _ group: inout Passages
  ) async throws(LedgerError) {
    guard !slots.encores.isEmpty, plan == nil, mayBegin(slots) else { return }
    // Cancelled, there is nothing left to begin.
    do { try await retry.sleep(retry.policy.firstWait) } catch _ { return }
    slots.isLastRound = true
    let turns = slots.encores.take(now: nil)
    try await bringBack(turns, Intake(), settler, &slots, &group)
    try await waitForSettling(settler, &slots, &group)
    await slots.drain(&group)
    slots.isLastRound = false
  }

  /// Takes up again those whose time has come, while watching.
  func bringBackDue(
    trustsTimes: Bool, _ settler: Settler, _ slots: inout Slots, _ group: inout Passages
  ) async throws(LedgerError) {
    let turns = slots.encores.take(now: clock.now)
    let intake = Intake(isRepeat: true, trustsTimes: trustsTimes)
    try await bringBack(turns, intake, settler, &slots, &group)
  }

  private func bringBack(
    _ turns: [(path: ProjectPath, kind: Encores.Kind)], _ intake: Intake, _ settler: Settler,
    _ slots: inout Slots, _ group: inout Passages
  ) async throws(LedgerError) {
    var left = turns[...]
    while !left.isEmpty, mayBegin(slots) {
      try await bringBack(left.prefix(page).map(\.path), intake, settler, &slots, &group)
      left = left.dropFirst(page)
    }
    for turn in left { slots.encores.add(turn.path, turn.kind, due: clock.now) }
  }

  private func bringBack(
    _ paths: [ProjectPath], _ intake: Intake, _ settler: Settler, _ slots: inout Slots,
    _ group: inout Passages
  ) async throws(LedgerError) {
    let age = slots.changes
    let jobs = try await ledger.jobs(profile: profile, recipe: recipe.name, paths: paths)
    var guests: [WaitingRoom.Guest] = []
    for path in paths {
      guard let job = jobs[path], !slots.underWay.contains(path) else { continue }
      let isStep = job.phase == .completed || job.step != nil || job.isInParts && job.phase == .decided
      if isStep, await isStillDue(job) {
        try await submit(job, resumed: true, isCounted: true, asOf: age, &slots, &group)
      } else {
        guests.append(WaitingRoom.Guest(path: path, due: clock.now, data: job.offered))
      }
    }
    var candidates: [Candidate] = []
    for (guest, sight) in zip(guests, await settler.look(at: guests)) {
      // They were counted as found when they were found; in a run that ends they are found again.
      if !isWatching { slots.tally.summary.found -= 1 }
      switch sight {
      case .file(let candidate): candidates.append(candidate)
      case .nothing, .problem:
        guard let job = jobs[guest.path] else { continue }
        if slots.changes != age, try await !isCurrent(job.key, revision: job.revision) { continue }
        try await giveUp(job, &slots, &group)
      }
    }
    try await take(candidates, intake, settler, &slots, &group)
  }

  /// Gives up a file that cannot be looked at any more, for the reason for which it failed.
  private func giveUp(
    _ job: Job, _ slots: inout Slots, _ group: inout Passages
  ) async throws(LedgerError) {
    guard job.comesBack, let failure = job.failure else { return }
    var next = job
    next.rounds = comeback.most
    fail(&next, failure)
    if !isWatching { slots.tally.summary.found += 1 }
    try await end([LedgerChange(next)], &slots, &group)
  }

  /// Takes a failure into a job's record, as this engine has files come back.
  func fail(_ job: inout Job, _ failure: Failure) {
    job.fail(
      failure, comeback, now: clock.now, chance: retry.chance(), isFollowed: recipe.handlesFailed)
  }
}
