import FileSessions
import GRDB
import Ingestion

/// How a ledger's jobs stand.
package struct LedgerStatus: Sendable {
  /// How many files of one recipe at one destination are in each phase.
  package struct Count: Sendable {
    package var profile: String
    package var recipe: String
    package var phases: [Phase: Int]
    /// How many wait since what was to follow has failed: of those completed, and of those given up.
    package var stepsFailed: Int { sentStepsFailed + failedStepsFailed }
    package var sentStepsFailed = 0
    package var failedStepsFailed = 0
    /// Of those failed, how many are not given up and have their turn again by themselves, and when the next one.
    package var comingBack = 0
    package var comesBackAt: Timestamp?
    /// How many the recipe is asked about again by the next run, since somebody wants it.
    package var toBeRetried = 0
    /// How many jobs are parts of files, which `phases` does not count, and of how many files.
    package var parts = 0
    package var filesInParts = 0
  }

  /// Failures of one kind that have something in common.
  package struct FailureGroup: Sendable {
    package var profile: String
    package var recipe: String
    package var kind: Failure.Kind
    /// What they have in common: ``Failure/reason(path:)``.
    package var reason: String
    /// The service's code, where there is one.
    package var code: String?
    package var count: Int
    /// What the last of them says.
    package var message: String
    package var path: String
    package var at: Timestamp
  }

  package var counts: [Count]
  /// The first of those under way.
  package var underWay: [JobPage.Entry]
  /// The first of those for which what was to follow has failed, sent or given up.
  package var stuck: [JobPage.Entry]
  /// The most frequent first; without those that are to be tried again, or come back by themselves.
  package var failures: [FailureGroup]
  package var requests: LedgerRequests
}

extension LedgerReader {
  /// How the jobs stand.
  ///
  /// - Parameter listed: the most jobs under way, and groups of failures, that are given one by one.
  package func status(listed: Int) async throws(LedgerError) -> LedgerStatus {
    var selection = JobSelection()
    selection.phases = Phase.allCases.filter(\.isUnderWay)
    let underWay = try await jobs(selection, limit: listed).entries
    let requests = try await requests()
    let (counts, stuck, failures) = try await read { database in
      (
        try Self.counts(database), try Self.stuck(database, limit: listed),
        try Self.failures(database, limit: listed)
      )
    }
    return LedgerStatus(
      counts: counts, underWay: underWay, stuck: stuck, failures: failures, requests: requests)
  }

  private static func counts(_ database: Database) throws -> [LedgerStatus.Count] {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT profile, recipe, phase, count(*) AS number,
          sum(json_extract(step, '$.error') IS NOT NULL) AS stuck, sum(recipe_version = '') AS again,
          sum(rounds > 0 AND recipe_version <> '') AS coming,
          min(CASE WHEN rounds > 0 AND recipe_version <> '' THEN due_at END) AS due
        FROM jobs WHERE json_extract(preparation, '$.whole') IS NULL
        GROUP BY profile, recipe, phase ORDER BY profile, recipe
        """)
    var counts: [LedgerStatus.Count] = []
    while let row = try rows.next() {
      let (profile, recipe): (String, String) = (row["profile"], row["recipe"])
      if counts.last?.profile != profile || counts.last?.recipe != recipe {
        counts.append(LedgerStatus.Count(profile: profile, recipe: recipe, phases: [:]))
      }
      let last = counts.count - 1
      let phase = Phase(rawValue: row["phase"])
      if let phase { counts[last].phases[phase] = row["number"] }
      switch phase {
      case .completed: counts[last].sentStepsFailed = row["stuck"] ?? 0
      case .failed:
        counts[last].failedStepsFailed = row["stuck"] ?? 0
        counts[last].comingBack = row["coming"] ?? 0
        counts[last].comesBackAt = (row["due"] as Int64?).map(Timestamp.init(milliseconds:))
      case .decided, .opened, .uploaded, .done, .skipped, .deferred, nil: break
      }
      counts[last].toBeRetried += row["again"] ?? 0
    }
    try addParts(to: &counts, database)
    return counts
  }

  private static func addParts(to counts: inout [LedgerStatus.Count], _ database: Database) throws {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT profile, recipe, count(*) AS parts, count(DISTINCT json_extract(preparation, '$.whole')) AS files
        FROM jobs WHERE json_extract(preparation, '$.whole') IS NOT NULL GROUP BY profile, recipe
        """)
    while let row = try rows.next() {
      let (profile, recipe): (String, String) = (row["profile"], row["recipe"])
      guard let index = counts.firstIndex(where: { $0.profile == profile && $0.recipe == recipe }) else {
        continue
      }
      (counts[index].parts, counts[index].filesInParts) = (row["parts"], row["files"])
    }
  }

  private static func stuck(_ database: Database, limit: Int) throws -> [JobPage.Entry] {
    try Row.fetchAll(
      database,
      sql: """
        SELECT (SELECT max(at) FROM history WHERE history.job = jobs.id) AS changed_at, \(JobRow.columns)
        FROM jobs WHERE phase IN ('completed', 'failed') AND json_extract(step, '$.error') IS NOT NULL
        ORDER BY id LIMIT ?
        """, arguments: [limit]
    ).map { row in
      JobPage.Entry(
        job: try JobRow.job(row), changedAt: Timestamp(milliseconds: row["changed_at"] ?? 0))
    }
  }

  private static func failures(_ database: Database, limit: Int) throws -> [LedgerStatus.FailureGroup] {
    // With max(), SQLite takes the other columns from the row that has it.
    try Row.fetchAll(
      database,
      sql: """
        SELECT profile, recipe, json_extract(failure, '$.kind') AS kind, json_extract(failure, '$.code') AS code,
          failure_reason, count(*) AS number, json_extract(failure, '$.message') AS message, path,
          max((SELECT max(at) FROM history WHERE history.job = jobs.id)) AS at
        FROM jobs
        WHERE phase = 'failed' AND recipe_version <> '' AND rounds = 0
          AND json_extract(preparation, '$.whole') IS NULL
        GROUP BY profile, recipe, kind, failure_reason
        ORDER BY number DESC, at DESC LIMIT ?
        """, arguments: [limit]
    ).compactMap { row in
      guard let kind = (row["kind"] as String?).flatMap(Failure.Kind.init(rawValue:)) else { return nil }
      return LedgerStatus.FailureGroup(
        profile: row["profile"], recipe: row["recipe"], kind: kind,
        reason: row["failure_reason"] ?? kind.rawValue, code: row["code"],
        count: row["number"], message: row["message"] ?? "no reason is known", path: row["path"],
        at: Timestamp(milliseconds: row["at"] ?? 0))
    }
  }
}
