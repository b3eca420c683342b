import FileSessions
import Workspace

/// Parts that no decision has any more: the recipe makes others of their whole by now, or none.
extension Engine {
  /// Settles those that this run itself has left so.
  func forsakeParts(_ slots: inout Slots, _ group: inout Passages) async throws(LedgerError) {
    guard recipe.prepares, plan == nil, mayBegin(slots) else { return }
    let unfinished = try await ledger.unfinished(profile: profile, recipe: recipe.name)
    try await forsake(unfinished.filter(\.isPart), &slots, &group)
    await slots.drain(&group)
  }

  /// Settles those of some parts of which that is so. What is open for them is cancelled.
  func forsake(_ parts: [Job], _ slots: inout Slots, _ group: inout Passages) async throws(LedgerError) {
    guard !parts.isEmpty, plan == nil else { return }
    let age = slots.changes
    // Before they are read again: of what lands meanwhile the next look is told.
    let underWay = slots.underWay
    let jobs = try await ledger.jobs(
      profile: profile, recipe: recipe.name, paths: Array(Set(parts.flatMap { [$0.origin, $0.key.path] })))
    for known in parts where !underWay.contains(known.origin) {
      guard let part = jobs[known.key.path], part.phase.isUnderWay, part.phase != .completed else { continue }
      if let whole = jobs[part.origin], whole.phase == .decided, whole.partKeys.contains(part.key) {
        continue
      }
      try await submit(part, resumed: true, isCounted: true, asOf: age, &slots, &group)
    }
  }
}

extension Passage {
  /// Ends what is open for a part that no decision has any more, and settles it.
  func forsake(_ part: Job) async throws(LedgerError) -> Passed {
    let delivered = try await engine.courier(teller, ticket).deliver(part, situation: .overtaken)
    var part = delivered.job
    switch delivered.ending {
    case .away(let error): return Passed(outcome: .stop(Task.isCancelled ? .requested : .service(error)))
    // It had arrived, as it turns out.
    case .delivered: return try await finish(part)
    case .decideAgain, .failed: break
    }
    part.phase = .skipped
    part.reason = "not a part of \(part.origin) any more"
    (part.session, part.target, part.idempotencyKey, part.failure) = (nil, nil, nil, nil)
    part = try await engine.ledger.record(LedgerChange(part))
    engine.reportStanding(part, isNew: true)
    return Passed()
  }
}
