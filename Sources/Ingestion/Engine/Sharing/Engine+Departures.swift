import FileSessions
import Workspace

/// Files that stay until other recipes of the run are done with them.
extension Engine {
  /// Takes away those that may go now. None of them holds a place while it waits.
  func depart(_ slots: inout Slots, _ group: inout Passages) async throws(LedgerError) {
    var left = seat.takeDue()[...]
    while !left.isEmpty, mayBegin(slots) {
      let paths = Array(left.prefix(page))
      left = left.dropFirst(page)
      let age = slots.changes
      let jobs = try await ledger.jobs(profile: profile, recipe: recipe.name, paths: paths)
      for path in paths {
        if slots.underWay.contains(path) {
          // It has asked a moment ago, and may not have heard of the last news.
          seat.remind(path)
        } else if let job = jobs[path], job.step?.action != nil,
          await isStillDue(job) || seat.whereabouts(of: path) != nil
        {
          try await submit(job, resumed: true, isCounted: true, asOf: age, &slots, &group)
        } else {
          seat.release(path)
        }
      }
    }
    for path in left { seat.remind(path) }
  }

  /// In a dry run: notes for the others that a file would have to stay for this recipe, where that is so.
  func noteStay(of job: Job) { noteStay(at: job.key.path, job, stamp: job.stamp) }

  /// The same of any file.
  ///
  /// - Parameters:
  ///   - job: what is recorded of it now; nil for one that is not taken in this run.
  ///   - isCertain: whether discovery offers it for sure.
  func noteStay(at path: ProjectPath, _ job: Job? = nil, stamp: FileStamp, isCertain: Bool = true) {
    guard let plan, seat.isWanted(path) else { return }
    let resting = Departure.Rival(progress: .resting, isCertain: isCertain)
    guard case .stay(let why) = Departure(past: resting, job: job, stamp: stamp) else { return }
    seat.keep(path, why)
    // One that came before could not know.
    if let whereabouts = seat.whereabouts(of: path) {
      plan.note("stays where it is until then: that \(whereabouts) has to wait", of: path)
    }
  }

  /// Says which files the recipe takes, before others begin.
  package func announce() async {
    guard let discovery = try? await recipe.discovery() else { return }
    seat.look(discovery, of: recipe, now: clock.now)
  }

  /// At the end of a run: waits until the others are past the files that this recipe takes away, or need them in
  /// another run.
  func awaitDepartures(_ slots: inout Slots, _ group: inout Passages) async throws(LedgerError) {
    if plan != nil { return }
    // What it leaves is for another run.
    let isEarly = !mayBegin(slots) || slots.isSpent || slots.closedUntil != nil
    if isEarly { seat.end(early: true) } else { seat.rest() }
    while mayBegin(slots) {
      try await depart(&slots, &group)
      await slots.drain(&group)
      try await heedInPassing(&slots, &group)
      guard seat.hasOpenDepartures, !slots.wasAsked else { break }
      await slots.bell.heard(within: patience.map { _ in Self.attention }, sleep: patience ?? retry.sleep)
    }
    let (count, isMore) = seat.waiting
    if count > 0, !slots.wasAsked {
      let files = "\(isMore ? "more than " : "")\(count) file\(count == 1 ? "" : "s")"
      report(
        .watching(
          "\(files) to be moved or removed stay\(count == 1 ? "s" : "") for other recipes until a later run")
      )
    }
  }
}
