import FileSessions
import FoundationEssentials
import GRDB
import Ingestion
import SQLiteStore
import Workspace

/// Reads a ledger without owning it, also while a run is under way.
package struct LedgerReader: Sendable {
  private let reader: SQLiteReader
  private let path: String

  /// Opens the ledger in `directory`; nil when there is none yet.
  package init?(directory: String) throws(LedgerError) {
    path = directory + "/" + SQLiteLedger.fileName
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    reader = try Self.open(path)
  }

  static func open(_ path: String) throws(LedgerError) -> SQLiteReader {
    do throws(StoreError) {
      // What an older version wrote is brought up to date before it is read.
      if try SQLiteStore.isOutdated(path: path, migrator: LedgerSchema.migrator) {
        let store = try SQLiteStore(
          path: path, applicationID: LedgerSchema.applicationID, migrator: LedgerSchema.migrator)
        try store.close()
      }
      return try SQLiteStore.reading(
        path: path, applicationID: LedgerSchema.applicationID, migrator: LedgerSchema.migrator)
    } catch {
      throw LedgerError(.unavailable, error.message)
    }
  }

  /// Every job about this file, and what happened to it.
  package func stories(of path: ProjectPath) async throws(LedgerError) -> [JobStory] {
    try await read { database in
      let rows = try Row.fetchAll(
        database, sql: "SELECT id, \(JobRow.columns) FROM jobs WHERE path = ? ORDER BY profile, recipe",
        arguments: [path.string])
      return try rows.map { row in
        let history = try Row.fetchAll(
          database, sql: "SELECT at, phase, note FROM history WHERE job = ? ORDER BY rowid",
          arguments: [row["id"] as Int64])
        let job = try JobRow.job(row)
        return JobStory(
          job: job, parts: try Self.parts(of: job, in: database),
          history: history.map {
            JobStory.Event(at: Timestamp(milliseconds: $0["at"]), phase: $0["phase"], note: $0["note"])
          })
      }
    }
  }

  /// The jobs of a file's parts, as far as they have been recorded.
  private static func parts(of whole: Job, in database: Database) throws -> [Job] {
    guard whole.isInParts else { return [] }
    return try Row.fetchAll(
      database,
      sql: """
        SELECT \(JobRow.columns) FROM jobs
        WHERE profile = ? AND recipe = ? AND path IN (SELECT value FROM json_each(?))
        """,
      arguments: [whole.key.profile, whole.key.recipe, PathList(whole.partKeys.map(\.path)).json]
    ).map(JobRow.job).filter { $0.preparation?.batch == whole.idempotencyKey }
  }

  /// The profiles under which Moontide itself put a file at this path, and what it made of which file.
  package func traces(at path: ProjectPath) async throws(LedgerError) -> [TraceRecord] {
    try await read { database in
      try Row.fetchAll(
        database,
        sql: "SELECT profile, origin, size, modified, inode FROM traces WHERE path = ? ORDER BY profile",
        arguments: [path.string]
      ).map { TraceRecord(profile: $0["profile"], origin: $0["origin"], stamp: JobRow.stamp($0)) }
    }
  }

  /// The recipes that have run here.
  package func recipes() async throws(LedgerError) -> [RecipeRecord] {
    try await read { database in
      try Row.fetchAll(database, sql: "SELECT profile, name, script, discovery FROM recipes ORDER BY name")
        .map {
          RecipeRecord(
            profile: $0["profile"], name: $0["name"], script: $0["script"],
            walk: try JobRow.decode($0["discovery"]))
        }
    }
  }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(LedgerError) -> Value {
    do { return try await reader.read(body) } catch { throw LedgerError(reading: error, path) }
  }
}

/// A job, and what happened to it so far.
package struct JobStory: Sendable {
  package struct Event: Sendable {
    package var at: Timestamp
    package var phase: String
    package var note: String?
  }

  package var job: Job
  /// Of a file that goes in parts: their jobs, as far as they were begun.
  package var parts: [Job]
  /// Oldest first.
  package var history: [Event]
}

/// A file that Moontide itself put where it is.
package struct TraceRecord: Sendable {
  package var profile: String
  /// The file that was moved or copied there; nil where it was written, or nobody has noted it.
  package var origin: String?
  /// As it was put there.
  package var stamp: FileStamp
}

/// A recipe as it last ran.
package struct RecipeRecord: Sendable {
  /// Where it looks for files.
  package struct Walk: Sendable, Codable {
    package var root: String
    package var include: [String]
    package var exclude: [String]
    package var hidden: Bool
    /// Seconds for which a file has to stay as it is; nil: as the file system is.
    package var settle: Double?
    package var inProgress: [String]?
    package var ready: String?

    package init(_ settings: WalkSettings, _ settling: Settling = Settling()) {
      settle = settling.quiet?.inSeconds
      inProgress = settling.inProgress.map(\.pattern)
      ready = settling.ready?.template
      root = settings.root.string
      include = settings.globs.include.map(\.pattern)
      exclude = settings.globs.exclude.map(\.pattern)
      hidden = settings.hidden
    }

    /// The settings again; nil when they cannot be read.
    package var settings: (walk: WalkSettings, settling: Settling)? {
      guard let root = try? ProjectPath(root), let globs = try? GlobSet(include: include, exclude: exclude)
      else { return nil }
      var settling = Settling(quiet: settle.map { .seconds($0) })
      if let inProgress { settling.inProgress = inProgress.compactMap { try? Glob($0) } }
      settling.ready = ready.flatMap { try? ReadyMarker($0) }
      return (WalkSettings(root: root, globs: globs, hidden: hidden), settling)
    }
  }

  package var profile: String
  package var name: String
  package var script: String
  /// nil when the recipe names its files by itself.
  package var walk: Walk?
}
