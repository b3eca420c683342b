import FileSessions
import Workspace

/// How candidates come to be looked at.
struct Intake {
  /// What this run took up already, since an earlier one had left it under way.
  var resumed: Set<ProjectPath> = []
  /// Whether they were looked at before: then only what is done with them counts.
  var isRepeat = false
  /// Whether they are known to have stopped changing.
  var isSettled = false
  /// Whether a modification long ago is believed.
  var trustsTimes = true
  /// Whether the run goes on, so that what is deferred comes back in it.
  var isWatching = false
}

extension Engine {
  /// Takes discovery page by page until it ends or the run is to end.
  func discover(
    _ discovery: Discovery, _ intake: Intake, _ settler: Settler, _ slots: inout Slots,
    _ group: inout Passages
  ) async throws {
    let pages = try CandidatePages(of: discovery, for: self)
    while mayBegin(slots) {
      let page = try await pages.next(Self.pageSize)
      if page.isEnd { return }
      for problem in page.problems {
        slots.tally.add(.problem)
        report(.problem(path: problem.path, message: problem.message))
      }
      try await take(page.candidates, intake, settler, &slots, &group)
      while slots.room.isFull, mayBegin(slots) {
        await settler.wait(for: slots.room.nextDue, &slots)
        try await lookAgain(isWatching: intake.isWatching, settler, &slots, &group)
      }
      try await heedRequests(&slots, &group)
    }
  }

  /// Sorts a page by what the ledger knows, asks the recipe about the rest, and begins with what is to be sent.
  func take(
    _ candidates: [Candidate], _ intake: Intake, _ settler: Settler, _ slots: inout Slots,
    _ group: inout Passages
  ) async throws(LedgerError) {
    plan?.begin(candidates, settler.settling)
    let sorted = try await sort(
      candidates.filter { settler.settling.withholding($0.path) == nil }, intake, settler, &slots)
    slots.tally.summary.found += sorted.found
    for _ in 0..<sorted.alreadyDone { slots.tally.add(.alreadyDone) }
    for _ in 0..<sorted.touched { slots.tally.add(.touched) }
    for job in sorted.standing {
      plan?.stands(job)
      reportStanding(job, isNew: false)
      slots.tally.add(Outcome(standing: job))
    }
    for job in sorted.underWay { await submit(job, resumed: true, &slots, &group) }

    try await begin(sorted.ruled, intake, &slots, &group)
    if let plan {
      // Each sees what those before it did.
      for unknown in sorted.unknown {
        let ruling = await recipe.decide([unknown.candidate]).first ?? .unasked
        try await begin([(unknown, ruling)], intake, &slots, &group)
        await slots.drain(&group)
      }
      return plan.end()
    }
    if sorted.unknown.isEmpty { return }
    // A handler that takes its time holds up its own file, not those that are decided meanwhile.
    let answers = Answers()
    async let asking: Void = {
      await recipe.decide(sorted.unknown.map(\.candidate)) { answers.put($0, $1) }
      answers.end()
    }()
    while let some = await answers.next() {
      try await begin(some.map { (sorted.unknown[$0.index], $0.ruling) }, intake, &slots, &group)
    }
    await asking
  }

  /// Records what the recipe said of candidates, and begins with those that are to be sent.
  private func begin(
    _ ruled: [Sorted.Ruled], _ intake: Intake, _ slots: inout Slots,
    _ group: inout Passages
  ) async throws(LedgerError) {
    var toSend: [Job] = []
    var ended: [LedgerChange] = []
    for (unknown, ruling) in ruled {
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
      if intake.isWatching { comeBack(job, &slots) }
      if job.step != nil { await submit(job, resumed: false, &slots, &group) }
    }
    for job in toSend { await submit(job, resumed: false, &slots, &group) }
  }

  private struct Sorted {
    /// Those that count: candidates that were not counted before.
    var found = 0
    var alreadyDone = 0
    var touched = 0
    var standing: [Job] = []
    var underWay: [Job] = []
    var unknown: [Unknown] = []
    /// Those that the recipe need not be asked about.
    var ruled: [Ruled] = []

    typealias Unknown = (candidate: Candidate, earlier: Job?)
    typealias Ruled = (unknown: Unknown, ruling: Ruling)
  }

  private func sort(
    _ candidates: [Candidate], _ intake: Intake, _ settler: Settler, _ slots: inout Slots
  ) async throws(LedgerError) -> Sorted {
    var sorted = Sorted()
    if candidates.isEmpty { return sorted }
    let paths = candidates.map(\.path)
    let jobs = try await ledger.jobs(profile: profile, recipe: recipe.name, paths: paths)
    let traces = try await ledger.traces(profile: profile, paths: paths)
    var open: [(candidate: Candidate, triage: Triage)] = []
    for candidate in candidates {
      let (job, trace) = (jobs[candidate.path], traces[candidate.path])
      // What this run took up already counts again only where it has new content since.
      if intake.resumed.contains(candidate.path), job?.phase != .done || job?.stamp == candidate.stamp {
        continue
      }
      if slots.underWay.contains(candidate.path) {
        settler.hold(candidate.path, &slots)
        continue
      }
      let triage = Triage(
        of: candidate, job: job, trace: trace, recipeVersion: recipe.version, now: clock.now)
      switch (triage, job) {
      case (.ownWork, _): plan?.remark(candidate.path, .ownWork)
      case (.alreadyDone, _):
        plan?.remark(candidate.path, .alreadySent)
        if !intake.isRepeat { sorted.alreadyDone += 1 }
      case (.resume, let job?): sorted.underWay.append(job)
      case (.stands, let job?):
        if intake.isWatching { comeBack(job, &slots) }
        if !intake.isRepeat { sorted.standing.append(job) }
      case (.ask, _), (.compare, _), (.resume, nil), (.stands, nil): open.append((candidate, triage))
      }
    }
    let admitted = open.isEmpty ? [] : await settler.admit(open.map(\.candidate), intake, &slots)
    open = open.filter { admitted.contains($0.candidate.path) }
    let touched = try await compare(open, jobs, traces, &sorted)
    sorted.touched = touched.count
    if !touched.isEmpty {
      for job in try await ledger.record(touched) { report(.touched(job.key.path)) }
    }
    sorted.found =
      sorted.alreadyDone + sorted.touched + sorted.standing.count + sorted.underWay.count
      + sorted.unknown.count + sorted.ruled.count
    return sorted
  }

  /// Compares the content of those that need it; gives the changes of the records of what was only touched.
  private func compare(
    _ open: [(candidate: Candidate, triage: Triage)], _ jobs: [ProjectPath: Job],
    _ traces: [ProjectPath: Trace], _ sorted: inout Sorted
  ) async throws(LedgerError) -> [LedgerChange] {
    var touched: [LedgerChange] = []
    for (candidate, triage) in open {
      let job = jobs[candidate.path]
      guard triage == .compare else {
        sorted.unknown.append((candidate, job))
        continue
      }
      switch try await compare(candidate, job, traces[candidate.path]) {
      case .ownWork: plan?.remark(candidate.path, .ownWork)
      case .sent(let change): touched.append(change)
      case .different:
        if let ruling = try await rulingOnChange(of: candidate.key) {
          sorted.ruled.append(((candidate, job), ruling))
        } else {
          sorted.unknown.append((candidate, job))
        }
      }
    }
    return touched
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
    if var job, let version = try await sentVersion(of: candidate) {
      job.recognize(version, stamp: candidate.stamp)
      return .sent(LedgerChange(job))
    }
    if let trace, trace.stamp.size == candidate.stamp.size, await md5(of: candidate) == trace.md5 {
      let renewed = Trace(path: trace.path, stamp: candidate.stamp, md5: trace.md5)
      try await ledger.leave(renewed, profile: profile)
      return .ownWork
    }
    return .different
  }

  /// What was sent under the candidate's key with just this content; nil when nothing was.
  func sentVersion(of candidate: Candidate) async throws(LedgerError) -> SentVersion? {
    let versions = try await ledger.sentVersions(of: candidate.key).filter {
      $0.size == candidate.stamp.size
    }
    guard !versions.isEmpty, let md5 = await md5(of: candidate) else { return nil }
    return versions.first { $0.md5 == md5 }
  }

  /// What the recipe's policy says of a file whose content is new; nil when the recipe is to be asked.
  func rulingOnChange(of key: JobKey) async throws(LedgerError) -> Ruling? {
    guard let ruling = recipe.changed.ruling else { return nil }
    return try await ledger.sentVersions(of: key).isEmpty ? nil : ruling
  }

  /// nil where it cannot be read, or is another file by now.
  private func md5(of candidate: Candidate) async -> MD5Digest? {
    let fingerprint = await offload { [workspace] in try? workspace.fingerprint(of: candidate.path) } ?? nil
    return fingerprint?.stamp == candidate.stamp ? fingerprint?.md5 : nil
  }
}

extension Job {
  /// The file has the content of what was sent, under a new stamp.
  mutating func recognize(_ version: SentVersion, stamp: FileStamp) {
    phase = .done
    self.stamp = stamp
    md5 = version.md5
    failure = nil
    reason = nil
  }
}
