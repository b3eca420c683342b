import FileSessions
import Workspace

extension Engine {
  /// Begins with a file as soon as there is a place, or counts it as left when the run is to end.
  ///
  /// - Parameters:
  ///   - isCounted: whether it was counted already, and only something is left to do.
  ///   - age: ``Slots/changes`` of the time when the job was read.
  func submit(
    _ job: Job, resumed: Bool, isCounted: Bool = false, asOf age: Int, _ slots: inout Slots,
    _ group: inout Passages
  ) async throws(LedgerError) {
    guard
      let ticket = try await place(
        for: job, resumed: resumed, isCounted: isCounted, asOf: age, &slots, &group)
    else {
      if !resumed { await discardWork(of: job) }
      return report(.left(job.key.path))
    }
    let passage = Passage(engine: self, ticket: ticket)
    slots.begin(job.key.path, ticket, &group) {
      let passed = await passage.pass(job, resumed: resumed)
      passage.engine.seat.pass(job.key.path)
      return isCounted ? passed.withoutOutcome : passed
    }
  }

  /// Waits for a place, and heeds meanwhile what other processes want; nil where the file is not begun.
  private func place(
    for job: Job, resumed: Bool, isCounted: Bool, asOf age: Int, _ slots: inout Slots, _ group: inout Passages
  ) async throws(LedgerError) -> Ticket? {
    let bell = slots.bell
    var age = age
    var hasWaited = false
    // Whatever else it rang for is to be seen to afterwards.
    defer { if hasWaited { bell.ring() } }
    do throws(LedgerError) {
      while true {
        await slots.reap(&group)
        try await heedInPassing(&slots, &group)
        guard mayBegin(slots) else {
          // What was given up is counted as that; only what would have followed is left.
          if !isCounted {
            slots.tally.add(job.phase.isUnderWay ? .left : Outcome(standing: job), of: job.key.path)
          } else if job.step?.error != nil, !isWatching {
            slots.tally.summary.stepsFailed += 1
          }
          break
        }
        if slots.changes != age {
          age = slots.changes
          guard try await isCurrent(job.key, revision: job.revision) else {
            if !isCounted { slots.tally.passOver(job.key.path) }
            break
          }
        }
        var limit: Duration?
        if slots.hasRoom {
          switch seat.enter(Load(job, resumed: resumed), bell: bell) {
          case .begun(let ticket):
            if let excess = ticket.excess {
              report(.noted(job.key.path, Self.warning(of: excess.needed, in: excess.lifetime)))
            }
            return ticket
          case .spent:
            if !isCounted { slots.tally.add(.left, of: job.key.path) }
            plan?.remark(job.key.path, .left)
            slots.isSpent = true
            return nil
          case .wait: break
          case .closed(let opening):
            guard seat.terms.waitsForHours else {
              if !isCounted { slots.tally.add(.left, of: job.key.path) }
              slots.closedUntil = opening
              return nil
            }
            tellHours(opening, &slots)
            limit = opening - clock.now
          }
        }
        hasWaited = true
        let attention = patience.map { _ in Self.attention }
        await bell.heard(
          within: [limit, attention].compactMap { $0 }.min(), sleep: patience ?? retry.sleep)
      }
    } catch {
      seat.withdraw()
      throw error
    }
    seat.withdraw()
    return nil
  }

  /// Says that the hours outside of which nothing is begun are waited for.
  func tellHours(_ opening: Timestamp, _ slots: inout Slots) {
    guard !slots.hasToldHours, let hours = seat.terms.hours else { return }
    slots.hasToldHours = true
    report(.watching("nothing is begun before \(hours.text(opening)) (\(hours.window))"))
  }

  private static func warning(of needed: Duration, in lifetime: Duration) -> String {
    "takes \(Int(needed.inSeconds / 60)) minutes at the present rate, and its session lives "
      + "\(Int(lifetime.inSeconds / 60)): it will hardly arrive"
  }

  /// Whether a record is still the one that was read. One that is not is found by the next look through everything.
  func isCurrent(_ key: JobKey, revision: Int) async throws(LedgerError) -> Bool {
    let jobs = try await ledger.jobs(profile: key.profile, recipe: key.recipe, paths: [key.path])
    return (jobs[key.path]?.revision ?? 0) == revision
  }
}

extension Load {
  fileprivate init(_ job: Job, resumed: Bool) {
    self =
      switch job.phase {
      case .decided where !resumed: .new(job.bytesToSend)
      case .decided, .opened, .uploaded: .resumed(job.bytesToSend)
      case .completed, .done, .skipped, .deferred, .failed: .step
      }
  }
}
