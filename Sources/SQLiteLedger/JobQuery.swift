import FileSessions
import GRDB
import Ingestion

/// A selection of jobs in SQL.
struct JobQuery {
  /// A condition on `jobs`.
  let condition: String
  let arguments: [any DatabaseValueConvertible]

  init(_ selection: JobSelection) {
    var terms: [String] = []
    var arguments: [any DatabaseValueConvertible] = []
    if let profile = selection.profile {
      terms.append("profile = ?")
      arguments.append(profile)
    }
    if let recipe = selection.recipe {
      terms.append("recipe = ?")
      arguments.append(recipe)
    }
    if let others = selection.otherThan {
      terms.append("recipe NOT IN (SELECT value FROM json_each(?))")
      arguments.append(PathList(texts: others).json)
    }
    if !selection.phases.isEmpty {
      terms.append("phase IN (SELECT value FROM json_each(?))")
      arguments.append(PathList(texts: selection.phases.map(\.rawValue)).json)
    }
    if !selection.paths.isEmpty {
      terms.append("path IN (SELECT value FROM json_each(?))")
      arguments.append(PathList(texts: selection.paths).json)
    }
    if let kind = selection.kind {
      // A part's failure is its whole's.
      terms.append("json_extract(failure, '$.kind') = ? AND json_extract(preparation, '$.whole') IS NULL")
      arguments.append(kind.rawValue)
      if let reason = selection.reason {
        terms.append("failure_reason = ?")
        arguments.append(reason)
      }
    } else if let reason = selection.reason, let kind = Failure.Kind(rawValue: reason) {
      // The word may occur in the reasons of others.
      terms.append("json_extract(failure, '$.kind') = ?")
      arguments.append(kind.rawValue)
    } else if let reason = selection.reason {
      terms.append(
        """
        (instr(lower(coalesce(reason, '')), lower(?)) > 0 OR failure IS NOT NULL AND (
          json_extract(failure, '$.code') = ?
          OR instr(lower(json_extract(failure, '$.message')), lower(?)) > 0))
        """)
      arguments += Array(repeating: reason, count: 3)
    }
    if let since = selection.since {
      terms.append("\(Self.changedAt) >= ?")
      arguments.append(since.milliseconds)
    }
    condition = terms.isEmpty ? "TRUE" : terms.joined(separator: " AND ")
    self.arguments = arguments
  }

  /// When a job's record changed last.
  private static let changedAt =
    "(SELECT at FROM history WHERE history.job = jobs.id ORDER BY history.rowid DESC LIMIT 1)"

  /// The jobs that follow on the row `id`, at most `limit`.
  func page(after id: Int64, limit: Int, in database: Database) throws -> JobPage {
    let rows = try Row.fetchCursor(
      try database.cachedStatement(
        sql: """
          SELECT id, \(Self.changedAt) AS changed_at, \(JobRow.columns) FROM jobs
          WHERE id > ? AND \(condition) ORDER BY id LIMIT ?
          """), arguments: StatementArguments([id] + arguments + [limit]))
    var page = JobPage()
    var last = id
    while let row = try rows.next() {
      let changed = Timestamp(milliseconds: row["changed_at"] ?? 0)
      page.entries.append(JobPage.Entry(job: try JobRow.job(row), changedAt: changed))
      last = row["id"]
    }
    page.next = page.entries.count < limit ? nil : last
    return page
  }
}
