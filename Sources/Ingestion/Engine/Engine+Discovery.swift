import FileSessions
import Workspace

extension Engine {
  /// Takes discovery page by page until it ends or the run is to end.
  func discover(
    except resumed: Set<ProjectPath>, _ slots: inout Slots, _ group: inout TaskGroup<Passed>
  ) async throws {
    let pages = try CandidatePages(of: try await recipe.discovery(), for: self)
    while mayBegin(slots) {
      let page = try await pages.next(Self.pageSize)
      if page.isEnd { return }
      for problem in page.problems {
        slots.tally.add(.problem)
        report(.problem(path: problem.path, message: problem.message))
      }
      try await take(page.candidates, resumed: resumed, &slots, &group)
      try await heedRequests(&slots, &group)
    }
  }

  /// Sorts a page by what the ledger knows, asks the recipe about the rest, and begins with what is to be sent.
  private func take(
    _ candidates: [Candidate], resumed: Set<ProjectPath>, _ slots: inout Slots,
    _ group: inout TaskGroup<Passed>
  ) async throws(LedgerError) {
    let sorted = try await sort(candidates, resumed: resumed)
    slots.tally.summary.found += candidates.count - sorted.uncounted
    for _ in 0..<sorted.alreadyDone { slots.tally.add(.alreadyDone) }
    for _ in 0..<sorted.touched { slots.tally.add(.touched) }
    for job in sorted.standing {
      reportStanding(job, isNew: false)
      slots.tally.add(Outcome(standing: job))
    }
    for job in sorted.underWay { await submit(job, resumed: true, &slots, &group) }
    if sorted.unknown.isEmpty { return }

    let rulings = await recipe.decide(sorted.unknown.map(\.candidate))
    var toSend: [Job] = []
    var ended: [LedgerChange] = []
    for (index, unknown) in sorted.unknown.enumerated() {
      let ruling = index < rulings.count ? rulings[index] : nil
      if ruling == .unasked {
        slots.tally.add(.left)
        continue
      }
      let job = await job(for: unknown.candidate, by: ruling, over: unknown.earlier)
      if job.phase == .decided { toSend.append(job) } else { ended.append(LedgerChange(job)) }
    }
    for job in ended.isEmpty ? [] : try await ledger.record(ended) {
      reportStanding(job, isNew: true)
      slots.tally.add(Outcome(standing: job))
      if job.step != nil { await submit(job, resumed: false, &slots, &group) }
    }
    for job in toSend { await submit(job, resumed: false, &slots, &group) }
  }

  private struct Sorted {
    var alreadyDone = 0
    var touched = 0
    /// Those that are no candidates, or were counted before.
    var uncounted = 0
    var standing: [Job] = []
    var underWay: [Job] = []
    var unknown: [(candidate: Candidate, earlier: Job?)] = []
  }

  private func sort(
    _ candidates: [Candidate], resumed: Set<ProjectPath>
  ) async throws(LedgerError) -> Sorted {
    var sorted = Sorted()
    if candidates.isEmpty { return sorted }
    let paths = candidates.map(\.path)
    let jobs = try await ledger.jobs(profile: profile, recipe: recipe.name, paths: paths)
    let traces = try await ledger.traces(profile: profile, paths: paths)
    var touched: [LedgerChange] = []
    for candidate in candidates {
      let (job, trace) = (jobs[candidate.path], traces[candidate.path])
      // What this run took up already counts again only where it has new content since.
      if resumed.contains(candidate.path), job?.phase != .done || job?.stamp == candidate.stamp {
        sorted.uncounted += 1
        continue
      }
      let triage = Triage(
        of: candidate, job: job, trace: trace, recipeVersion: recipe.version, now: clock.now)
      switch (triage, job) {
      case (.alreadyDone, _): sorted.alreadyDone += 1
      case (.ownWork, _): sorted.uncounted += 1
      case (.resume, let job?): sorted.underWay.append(job)
      case (.stands, let job?): sorted.standing.append(job)
      case (.ask, _), (.resume, nil), (.stands, nil): sorted.unknown.append((candidate, job))
      case (.compare, _):
        switch try await compare(candidate, job, trace) {
        case .ownWork: sorted.uncounted += 1
        case .sent(let change):
          sorted.touched += 1
          touched.append(change)
        case .different: sorted.unknown.append((candidate, job))
        }
      }
    }
    if !touched.isEmpty {
      for job in try await ledger.record(touched) { report(.touched(job.key.path)) }
    }
    return sorted
  }

  private enum Comparison {
    case ownWork
    /// The content was sent before; the record takes the new stamp.
    case sent(LedgerChange)
    case different
  }

  /// Compares a file's content with what was sent under its key, and with what Moontide wrote at its path.
  private func compare(
    _ candidate: Candidate, _ job: Job?, _ trace: Trace?
  ) async throws(LedgerError) -> Comparison {
    let size = candidate.stamp.size
    let versions = job == nil ? [] : try await ledger.sentVersions(of: candidate.key)
    guard versions.contains(where: { $0.size == size }) || trace?.stamp.size == size else {
      return .different
    }
    let fingerprint = await offload { [workspace] in try? workspace.fingerprint(of: candidate.path) } ?? nil
    guard let fingerprint, fingerprint.stamp == candidate.stamp else { return .different }
    if let version = versions.first(where: { $0.size == size && $0.md5 == fingerprint.md5 }), var job {
      job.phase = .done
      job.stamp = candidate.stamp
      job.md5 = version.md5
      job.failure = nil
      job.reason = nil
      return .sent(LedgerChange(job))
    }
    if let trace, trace.stamp.size == size, trace.md5 == fingerprint.md5 {
      let renewed = Trace(path: trace.path, stamp: candidate.stamp, md5: trace.md5)
      try await ledger.leave(renewed, profile: profile)
      return .ownWork
    }
    return .different
  }
}
