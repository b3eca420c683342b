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
}

extension Engine {
  /// Takes discovery page by page until it ends or the run is to end.
  func discover(
    _ discovery: Discovery, _ intake: Intake, _ settler: Settler, _ slots: inout Slots,
    _ group: inout Passages
  ) async throws {
    let pages = try CandidatePages(of: discovery, for: self, in: order)
    var isToldOfEnd = false
    while mayBegin(slots) {
      let page = try await pages.next(page)
      if page.isEnd || page.isLast, !isToldOfEnd {
        report(.foundAll)
        isToldOfEnd = true
      }
      if page.isEnd { return }
      for problem in page.problems {
        slots.tally.add(.problem)
        report(.problem(path: problem.path, message: problem.message))
      }
      try await take(page.candidates, intake, settler, &slots, &group)
      while slots.room.isFull, mayBegin(slots) {
        await settler.wait(for: slots.room.nextDue, &slots)
        try await lookAgain(settler, &slots, &group)
      }
      try await heedRequests(&slots, &group)
      try await depart(&slots, &group)
    }
    if case .walk = discovery, plan == nil {
      try await countHeldUp(pages, intake, settler.settling, &slots)
    }
  }

  /// Sorts a page by what the ledger knows, asks the recipe about the rest, and begins with what is to be sent.
  func take(
    _ candidates: [Candidate], _ intake: Intake, _ settler: Settler, _ slots: inout Slots,
    _ group: inout Passages
  ) async throws(LedgerError) {
    let age = slots.changes
    plan?.begin(candidates, settler.settling)
    let sorted = try await sort(
      candidates.filter { settler.settling.withholding($0.path) == nil }, intake, settler, &slots)
    slots.tally.summary.found += sorted.alreadyDone
    for path in sorted.found { slots.tally.find(path) }
    for _ in 0..<sorted.alreadyDone { slots.tally.add(.alreadyDone) }
    for path in sorted.touched { slots.tally.add(.touched, of: path) }
    for job in sorted.standing {
      plan?.stands(job)
      noteStay(of: job)
      reportStanding(job, isNew: false)
      slots.tally.add(Outcome(standing: job), of: job.key.path)
    }
    for job in sorted.underWay { try await submit(job, resumed: true, asOf: age, &slots, &group) }

    try await begin(sorted.ruled, intake, asOf: age, &slots, &group)
    if let plan {
      // Each sees what those before it did.
      for unknown in sorted.unknown {
        let ruling = await recipe.decide([unknown.candidate]).first ?? .unasked
        try await begin([(unknown, ruling)], intake, asOf: age, &slots, &group)
        await slots.drain(&group)
      }
      return plan.end()
    }
    if sorted.unknown.isEmpty { return }
    // A handler that takes its time holds up its own file, not those that are decided meanwhile; where it matters which
    // come first, those after it too.
    let answers = Answers(isInOrder: order != nil || seat.terms.allowance != .all)
    async let asking: Void = {
      await recipe.decide(sorted.unknown.map(\.candidate)) { answers.put($0, $1) }
      answers.end()
    }()
    async let _: Void = remind(answers)
    while let some = await answers.next() {
      try await begin(some.map { (sorted.unknown[$0.index], $0.ruling) }, intake, asOf: age, &slots, &group)
      try await heedInPassing(&slots, &group)
    }
    await asking
  }

  /// Has it be looked now and then what other processes want, while handlers take their time.
  private func remind(_ answers: Answers) async {
    guard let patience else { return }
    while !Task.isCancelled {
      do { try await patience(Self.attention) } catch _ { return }
      answers.remind()
    }
  }

  /// Records what the recipe said of candidates, and begins with those that are to be sent.
  private func begin(
    _ ruled: [Sorted.Ruled], _ intake: Intake, asOf age: Int, _ slots: inout Slots,
    _ group: inout Passages
  ) async throws(LedgerError) {
    var toSend: [Job] = []
    var ended: [LedgerChange] = []
    let now = slots.changes
    for (unknown, ruling) in ruled {
      if now != age,
        try await !isCurrent(unknown.candidate.key, revision: unknown.earlier?.revision ?? 0)
      {
        slots.tally.passOver(unknown.candidate.path)
        continue
      }
      if ruling == .unasked {
        slots.tally.add(.left, of: unknown.candidate.path)
        continue
      }
      let job = await job(for: unknown.candidate, by: ruling, over: unknown.earlier)
      if job.phase == .decided { toSend.append(job) } else { ended.append(LedgerChange(job)) }
    }
    try await end(ended, &slots, &group)
    for job in toSend {
      if let request = job.request { report(.decided(job.key.path, request)) }
    }
    for job in toSend {
      try await submit(job, resumed: false, asOf: now, &slots, &group)
    }
  }

  /// Records files that are not to be sent, or not now, and begins with what is to follow.
  func end(
    _ changes: [LedgerChange], _ slots: inout Slots, _ group: inout Passages
  ) async throws(LedgerError) {
    if changes.isEmpty { return }
    let age = slots.changes
    for job in try await ledger.record(changes) {
      reportStanding(job, isNew: true)
      seat.pass(job.key.path)
      await clearWork(of: job)
      if job.comesBack {
        slots.comeBack(job.key.path, due: job.dueAt ?? clock.now)
      } else if job.step != nil {
        try await submit(job, resumed: false, asOf: age, &slots, &group)
      } else {
        noteStay(of: job)
        slots.tally.add(Outcome(standing: job), of: job.key.path)
        if isWatching { comeBack(job, &slots) }
      }
    }
  }

  private struct Sorted {
    var alreadyDone = 0
    var touched: [ProjectPath] = []
    var standing: [Job] = []
    var underWay: [Job] = []
    var unknown: [Unknown] = []
    /// Those that the recipe need not be asked about.
    var ruled: [Ruled] = []

    /// Those that count, beside those that were sent before.
    var found: [ProjectPath] {
      touched + standing.map(\.key.path) + underWay.map(\.key.path) + unknown.map(\.candidate.path)
        + ruled.map(\.unknown.candidate.path)
    }

    typealias Unknown = (candidate: Candidate, earlier: Job?)
    typealias Ruled = (unknown: Unknown, ruling: Ruling)
  }

  private func sort(
    _ candidates: [Candidate], _ intake: Intake, _ settler: Settler, _ slots: inout Slots
  ) async throws(LedgerError) -> Sorted {
    var sorted = Sorted()
    if candidates.isEmpty { return sorted }
    let traces = try await ledger.traces(profile: profile, paths: candidates.map(\.path))
    let candidates = try await changed(candidates, traces, intake, slots, &sorted)
    let jobs =
      candidates.isEmpty
      ? [:] : try await ledger.jobs(profile: profile, recipe: recipe.name, paths: candidates.map(\.path))
    var open: [(candidate: Candidate, triage: Triage)] = []
    for candidate in candidates {
      let (job, trace) = (jobs[candidate.path], traces[candidate.path])
      // What this run took up already counts again only where it has new content since.
      if intake.resumed.contains(candidate.path), job?.phase != .done || job?.stamp == candidate.stamp {
        continue
      }
      if slots.underWay.contains(candidate.path) {
        settler.hold(candidate.path, data: candidate.data, &slots)
        continue
      }
      let triage = Triage(
        of: candidate, job: job, trace: trace, recipeVersion: recipe.version, now: clock.now,
        isRepeat: intake.isRepeat)
      switch (triage, job) {
      case (.ownWork, _): plan?.remark(candidate.path, .ownWork)
      case (.alreadyDone, _):
        plan?.remark(candidate.path, .alreadySent)
        if !intake.isRepeat { sorted.alreadyDone += 1 }
      case (.resume, let job?) where intake.isRepeat && job.followsLater:
        guard isWatching, job.stamp != candidate.stamp else { continue }
        // What is there by now has its turn after that.
        let turn = max(job.step?.dueAt ?? job.dueAt ?? clock.now, clock.now) + .seconds(1)
        slots.room.hold(WaitingRoom.Guest(path: candidate.path, due: turn, data: candidate.data))
      case (.resume, let job?) where seat.isWaiting(candidate.path):
        // What is there is another file: the one that was to go is not awaited any more.
        guard job.stamp != candidate.stamp else { continue }
        seat.remind(candidate.path)
        settler.hold(candidate.path, data: candidate.data, &slots)
      case (.resume, let job?): sorted.underWay.append(job)
      case (.stands, let job?):
        if isWatching { comeBack(job, &slots) }
        if !intake.isRepeat { sorted.standing.append(job) }
      case (.ask, _), (.compare, _), (.resume, nil), (.stands, nil): open.append((candidate, triage))
      }
    }
    let admitted = open.isEmpty ? [] : await settler.admit(open.map(\.candidate), intake, &slots)
    open = open.filter { admitted.contains($0.candidate.path) }
    let touched = try await compare(open, jobs, traces, &sorted)
    sorted.touched = touched.map(\.job.key.path)
    if !touched.isEmpty {
      for job in try await ledger.record(touched) {
        report(.touched(job.key.path))
        seat.pass(job.key.path)
      }
    }
    if intake.isRepeat, !isWatching {
      // What was asked for meanwhile, of files that this run had counted.
      for path in sorted.underWay.map(\.key.path) + open.map(\.candidate.path) { slots.tally.takeBack(path) }
    }
    return sorted
  }

  /// Leaves out what was sent and has not changed: most of what a later run finds, and no more is read of its record.
  private func changed(
    _ candidates: [Candidate], _ traces: [ProjectPath: Trace], _ intake: Intake, _ slots: Slots,
    _ sorted: inout Sorted
  ) async throws(LedgerError) -> [Candidate] {
    let done = try await ledger.doneStamps(
      profile: profile, recipe: recipe.name, paths: candidates.map(\.path))
    var changed: [Candidate] = []
    for (candidate, stamp) in zip(candidates, done) {
      let path = candidate.path
      if stamp == candidate.stamp, traces[path]?.stamp != stamp, !slots.underWay.contains(path),
        !intake.resumed.contains(path)
      {
        plan?.remark(path, .alreadySent)
        if !intake.isRepeat { sorted.alreadyDone += 1 }
      } else {
        changed.append(candidate)
      }
    }
    return changed
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
      let renewed = Trace(path: trace.path, stamp: candidate.stamp, md5: trace.md5, origin: trace.origin)
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
    await offload { [workspace] in workspace.md5(of: candidate.path, stamp: candidate.stamp) }
  }
}

extension Job {
  /// Whether what was to follow, on the file or on a part of it, has failed in this run, and has its turn by itself.
  fileprivate var followsLater: Bool { step?.error != nil || isInParts && dueAt != nil }

  /// The file has the content of what was sent, under a new stamp.
  mutating func recognize(_ version: SentVersion, stamp: FileStamp) {
    phase = .done
    self.stamp = stamp
    md5 = version.md5
    preparation = nil
    failure = nil
    reason = version.sessionID == Adoption.session ? Adoption.reason : nil
  }
}
