import FileSessions
import Ingestion
import SQLiteLedger

/// How the work stands, in words.
enum StatusText {
  /// - Parameter width: how many cells a line may have; nil: any number. Commands are never shortened.
  static func text(
    _ status: LedgerStatus, holder: LedgerHolder?, _ live: LiveStatus?, projectFlags: String, width: Int?,
    now: Timestamp
  ) -> String {
    var text = cut(owner(holder), width) + "\n"
    if let live { text += cut(live.text.printable, width) + "\n" }
    if let held = live?.held { text += cut(held.printable, width) + "\n" }
    for pause in status.requests.pauses {
      text += PauseText.sentence(pause) + " `moontide resume` ends it.\n"
    }
    if !status.requests.open.isEmpty {
      text += "\(Format.count(status.requests.open.count, "request")) to the process that works with it.\n"
    }
    text += "\n" + counts(status.counts, holder: holder, now: now)
    let underWay = status.underWay.filter { $0.job.step?.error == nil }
    if !status.stuck.isEmpty {
      text += "\nAfter-step failed; tried again by itself, and by the next run\n"
      for entry in status.stuck {
        let line = "  \(entry.job.key.path.string.printable): \((entry.job.step?.error ?? "").printable)"
        text += cut(line, width) + "\n"
      }
    }
    if !underWay.isEmpty {
      let isOne = Set(status.counts.map(\.recipe)).count == 1
      text += "\nUnder way\n"
      text += table(
        underWay.map { entry in
          ["  " + entry.job.phase.rawValue, entry.job.key.path.string.printable]
            + (isOne ? [] : ["for \(entry.job.key.recipe.printable)"]) + [
              Format.bytes(entry.job.bytesToSend), part(of: entry.job, live), "since \(entry.changedAt)",
            ]
        }, width)
    }
    if !status.failures.isEmpty {
      text += "\nFailed\n" + status.failures.map { failure($0, projectFlags, width) }.joined()
    }
    return text
  }

  /// The line, with `…` at its end where it has too many cells.
  private static func cut(_ line: String, _ width: Int?) -> String {
    guard let width, Cells.count(line) > width else { return line }
    return Cells.cut(line, width - 1) + "…"
  }

  private static let leastPath = 20

  /// Rows with a path in the second column, of which the end is shown where they would be too long.
  private static func table(_ rows: [[String]], _ width: Int?) -> String {
    var (columns, rows) = (Columns(), rows)
    if let width {
      let others = (rows.first?.indices ?? 0..<0).filter { $0 != 1 }
        .reduce(0) { sum, column in sum + 2 + (rows.map { Cells.count($0[column]) }.max() ?? 0) }
      let room = max(Self.leastPath, width - others)
      for index in rows.indices where Cells.count(rows[index][1]) > room {
        rows[index][1] = Cells.fit(rows[index][1], room)
      }
    }
    return columns.text(rows)
  }

  /// How much of a file has been read for sending, where that is known.
  private static func part(of job: Job, _ live: LiveStatus?) -> String {
    guard let transfer = live?.transfers.first(where: { $0.path == job.key.path.string.printable }),
      transfer.of > 0
    else { return "" }
    return "\(transfer.bytes * 100 / transfer.of) %"
  }

  private static func owner(_ holder: LedgerHolder?) -> String {
    switch holder {
    case .known(let owner):
      "Process \(owner.pid) works with this project since \(owner.since): \(owner.command.printable)"
    case .unknown: "A process works with this project; it has not said which."
    case nil: "No process works with this project."
    }
  }

  private static func counts(
    _ counts: [LedgerStatus.Count], holder: LedgerHolder?, now: Timestamp
  ) -> String {
    if counts.isEmpty { return "No files yet.\n" }
    var columns = Columns()
    let heading = [
      "PROFILE", "RECIPE", "UNDER WAY", "SENT", "SKIPPED", "DEFERRED", "FAILED", "AFTER-STEP FAILED",
    ]
    return columns.text(
      [heading]
        + counts.map { count in
          let underWay = Phase.allCases.filter(\.isUnderWay).reduce(0) { $0 + (count.phases[$1] ?? 0) }
          return [
            count.profile.printable, count.recipe.printable, "\(underWay - count.sentStepsFailed)",
            "\(count.phases[.done] ?? 0)", "\(count.phases[.skipped] ?? 0)",
            "\(count.phases[.deferred] ?? 0)", "\((count.phases[.failed] ?? 0) - count.comingBack)",
            "\(count.stepsFailed)",
          ]
        }) + counts.filter { $0.parts > 0 }.map(parts).joined()
      + counts.filter { $0.comingBack > 0 }.map { comebacks($0, holder: holder, now: now) }.joined()
      + counts.filter { $0.toBeRetried > 0 }.map(retries).joined()
  }

  private static func comebacks(_ count: LedgerStatus.Count, holder: LedgerHolder?, now: Timestamp) -> String
  {
    let when =
      if holder == nil { ", with the next run" } else if let due = count.comesBackAt, due > now {
        ", the next at \(due)"
      } else { "" }
    let files = Format.count(count.comingBack, "file") + (count.comingBack == 1 ? " comes" : " come")
    return "\(count.recipe.printable) (profile \(count.profile.printable)): \(files) back by "
      + (count.comingBack == 1 ? "itself" : "themselves") + when + "\n"
  }

  private static func retries(_ count: LedgerStatus.Count) -> String {
    "\(count.recipe.printable) (profile \(count.profile.printable)): asked about "
      + "\(Format.count(count.toBeRetried, "file")) again by the next run\n"
  }

  private static func parts(_ count: LedgerStatus.Count) -> String {
    "\(count.recipe.printable) (profile \(count.profile.printable)): \(Format.count(count.parts, "part")) of "
      + "\(Format.count(count.filesInParts, "file"))\n"
  }

  private static func failure(
    _ group: LedgerStatus.FailureGroup, _ projectFlags: String, _ width: Int?
  ) -> String {
    let files = "\(Format.count(group.count, "file")) of \(group.recipe.printable)"
    let what = FailureRollup.phrase(
      kind: group.kind, reason: group.reason, count: group.count, message: group.message)
    return cut("  \(files) (profile \(group.profile.printable)), \(what)", width) + "\n"
      + cut("      last \(group.path.printable), \(group.at)", width) + "\n"
      + "      again: \(group.command(projectFlags))\n"
  }
}

extension LedgerStatus.FailureGroup {
  /// The command that has these tried again.
  fileprivate func command(_ projectFlags: String) -> String {
    FailureRollup.retry(
      profile: profile, recipe: recipe, kind: kind, reason: reason, projectFlags: projectFlags)
  }
}

/// How the work stands, as JSON.
struct StatusJSON: Encodable {
  struct Owner: Encodable {
    var pid: Int32?
    var command: String?
    var since: Timestamp?
  }

  struct Count: Encodable {
    var profile, recipe: String
    var phases: [String: Int]
    var stepsFailed: Int
    /// Files of the phase `failed` that are not given up: they come back by themselves, and the next one when.
    var comingBack: Int
    var comesBackAt: Timestamp?
    /// Files that somebody wants tried again.
    var toBeRetried: Int
    /// Jobs that are parts of files, beside the files in `phases`, and how many files they are of.
    var parts, filesInParts: Int
  }

  struct Failure: Encodable {
    var profile, recipe, kind: String
    /// What they have in common: a code, a place in a script, the recipe's reason, or the kind.
    var reason: String
    var code: String?
    var count: Int
    var message, path: String
    var at: Timestamp
    var retry: String
  }

  var v = 1
  var owner: Owner?
  /// What the owner is doing at the moment.
  var live: LiveStatus?
  var pauses: [Pause]
  var requests: Int
  var counts: [Count]
  var underWay: [JobJSON]
  /// Files, sent or given up, for which what was to follow has failed.
  var stuck: [JobJSON]
  var failures: [Failure]

  init(_ status: LedgerStatus, holder: LedgerHolder?, _ live: LiveStatus?, projectFlags: String) {
    switch holder {
    case .known(let known): owner = Owner(pid: known.pid, command: known.command, since: known.since)
    case .unknown: owner = Owner()
    case nil: owner = nil
    }
    self.live = live
    pauses = status.requests.pauses
    requests = status.requests.open.count
    counts = status.counts.map { count in
      Count(
        profile: count.profile, recipe: count.recipe,
        phases: Dictionary(uniqueKeysWithValues: count.phases.map { ($0.key.rawValue, $0.value) }),
        stepsFailed: count.stepsFailed, comingBack: count.comingBack, comesBackAt: count.comesBackAt,
        toBeRetried: count.toBeRetried, parts: count.parts,
        filesInParts: count.filesInParts)
    }
    underWay = status.underWay.map { JobJSON($0.job, changedAt: $0.changedAt) }
    stuck = status.stuck.map { JobJSON($0.job, changedAt: $0.changedAt) }
    failures = status.failures.map { group in
      Failure(
        profile: group.profile, recipe: group.recipe, kind: group.kind.rawValue, reason: group.reason,
        code: group.code, count: group.count, message: group.message, path: group.path, at: group.at,
        retry: group.command(projectFlags))
    }
  }
}
