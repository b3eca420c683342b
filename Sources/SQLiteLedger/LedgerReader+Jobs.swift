import GRDB
import Ingestion
import Workspace

extension LedgerReader {
  /// The jobs of a selection, a page at a time.
  ///
  /// - Parameter id: ``JobPage/next`` of the page before; 0 to begin.
  package func jobs(
    _ selection: JobSelection, after id: Int64 = 0, limit: Int
  ) async throws(LedgerError) -> JobPage {
    try await read { database in
      try JobQuery(selection).page(after: id, limit: limit, in: database)
    }
  }

  /// The first job of a selection of which content was ever sent; nil when nothing was.
  package func firstSent(_ selection: JobSelection) async throws(LedgerError) -> JobKey? {
    try await read { database in
      let query = JobQuery(selection)
      let row = try Row.fetchOne(
        database,
        sql: """
          SELECT profile, recipe, path FROM jobs WHERE \(query.condition) AND EXISTS (
            SELECT 1 FROM sent WHERE sent.profile = jobs.profile AND sent.recipe = jobs.recipe
              AND sent.path = jobs.path)
          LIMIT 1
          """, arguments: StatementArguments(query.arguments))
      return try row.map {
        JobKey(profile: $0["profile"], recipe: $0["recipe"], path: try ProjectPath($0["path"] as String))
      }
    }
  }
}
