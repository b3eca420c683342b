import FileSessions
import FoundationEssentials
import GRDB
import Ingestion
import SQLiteStore
import Workspace

/// The ledger on SQLite: one file, `ledger.sqlite`, in the state directory.
///
/// One process owns it at a time; others read beside it. Every change is on the disk before the call returns;
/// changes that come together share one flush.
package final class SQLiteLedger: Ledger {
  static let fileName = "ledger.sqlite"

  private enum Access {
    case owner(SQLiteStore, OwnerLock)
    case reader(SQLiteReader)
  }

  private let access: Access
  private let path: String
  private let clock: WallClock

  /// Takes the ledger in `directory`, making it when it is not there.
  ///
  /// Throws `owned` when another process has it, saying which.
  package init(directory: String, clock: WallClock) throws(LedgerError) {
    let lock = try OwnerLock(directory: directory, now: clock.now)
    self.clock = clock
    path = directory + "/" + Self.fileName
    do throws(StoreError) {
      access = .owner(
        try SQLiteStore(
          path: path, applicationID: LedgerSchema.applicationID, migrator: LedgerSchema.migrator), lock)
    } catch {
      throw LedgerError(.unavailable, error.message)
    }
  }

  /// Opens the ledger in `directory` to read it, also while another process owns it; nil when there is none yet.
  ///
  /// Nothing is written to it: what would be throws `unavailable`.
  package init?(reading directory: String, clock: WallClock) throws(LedgerError) {
    self.clock = clock
    path = directory + "/" + Self.fileName
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    access = .reader(try LedgerReader.open(path))
  }

  package func jobs(
    profile: String, recipe: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [ProjectPath: Job] {
    let list = PathList(paths).json
    return try await read { database in
      let rows = try Row.fetchCursor(
        try database.cachedStatement(
          sql: """
            SELECT \(JobRow.columns) FROM jobs
            WHERE profile = ? AND recipe = ? AND path IN (SELECT value FROM json_each(?))
            """), arguments: [profile, recipe, list])
      var jobs: [ProjectPath: Job] = [:]
      while let row = try rows.next() {
        let job = try JobRow.job(row)
        jobs[job.key.path] = job
      }
      return jobs
    }
  }

  package func doneStamps(
    profile: String, recipe: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [FileStamp?] {
    let list = PathList(paths)
    return try await read { database in
      let rows = try Row.fetchCursor(
        try database.cachedStatement(
          sql: """
            SELECT list.key, size, modified, inode FROM json_each(?) AS list
            CROSS JOIN jobs ON profile = ? AND recipe = ? AND jobs.path = list.value WHERE phase = 'done'
            """), arguments: [list.json, profile, recipe])
      var stamps = [FileStamp?](repeating: nil, count: list.count)
      while let row = try rows.next() {
        stamps[row[0]] = FileStamp(
          size: row[1], modified: row[2], inode: UInt64(bitPattern: row[3] as Int64))
      }
      return stamps
    }
  }

  package func unfinished(profile: String, recipe: String) async throws(LedgerError) -> [Job] {
    try await read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT \(JobRow.columns) FROM jobs
          WHERE profile = ? AND recipe = ?
            AND (phase IN ('decided', 'opened', 'uploaded', 'completed') OR step IS NOT NULL)
          ORDER BY id
          """, arguments: [profile, recipe]
      ).map(JobRow.job)
    }
  }

  package func record(_ changes: [LedgerChange]) async throws(LedgerError) -> [Job] {
    let now = clock.now
    return try await write { database in
      try changes.map { try Self.record($0, at: now, in: database) }
    }
  }

  package func sentVersions(of key: JobKey) async throws(LedgerError) -> [SentVersion] {
    try await read { database in
      let rows = try Row.fetchAll(
        try database.cachedStatement(
          sql: "SELECT size, md5, session FROM sent WHERE profile = ? AND recipe = ? AND path = ?"),
        arguments: [key.profile, key.recipe, key.path.string])
      return rows.compactMap { row in
        MD5Digest(hex: row["md5"]).map {
          SentVersion(size: row["size"], md5: $0, sessionID: row["session"])
        }
      }
    }
  }

  package func traces(
    profile: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [ProjectPath: Trace] {
    let list = PathList(paths).json
    return try await read { database in
      let rows = try Row.fetchAll(
        try database.cachedStatement(
          sql: """
            SELECT path, size, modified, inode, md5, origin FROM traces
            WHERE profile = ? AND path IN (SELECT value FROM json_each(?))
            """), arguments: [profile, list])
      var traces: [ProjectPath: Trace] = [:]
      for row in rows {
        guard let md5 = MD5Digest(hex: row["md5"]) else { continue }
        let path = try ProjectPath(row["path"] as String)
        let origin = try (row["origin"] as String?).map { try ProjectPath($0) }
        traces[path] = Trace(path: path, stamp: JobRow.stamp(row), md5: md5, origin: origin)
      }
      return traces
    }
  }

  package func leave(_ trace: Trace, profile: String) async throws(LedgerError) {
    try await write { database in try Self.leave(trace, profile: profile, in: database) }
  }

  /// Remembers where a recipe looks for files, to explain later what it does not see.
  package func remember(
    recipe: String, script: String, walk: RecipeRecord.Walk?, profile: String
  ) async throws(LedgerError) {
    let now = clock.now
    try await write { database in
      try database.execute(
        sql: "INSERT OR REPLACE INTO recipes (profile, name, script, discovery, at) VALUES (?, ?, ?, ?, ?)",
        arguments: [profile, recipe, script, try JobRow.encode(walk), now.milliseconds])
    }
  }

  // MARK: - Writing a change

  private static func record(_ change: LedgerChange, at now: Timestamp, in database: Database) throws -> Job {
    var job = change.job
    let expected = job.revision
    job.revision += 1
    let id = try expected == 0 ? insert(job, in: database) : update(job, over: expected, in: database)
    try database.execute(
      cached: "INSERT INTO history (job, at, phase, note) VALUES (?, ?, ?, ?)",
      arguments: [id, now.milliseconds, job.phase.rawValue, JobRow.note(job)])
    if let sent = change.sent {
      try database.execute(
        cached: """
          INSERT OR REPLACE INTO sent (profile, recipe, path, size, md5, session, at)
          VALUES (?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          job.key.profile, job.key.recipe, job.key.path.string, sent.size, sent.md5.hex, sent.sessionID,
          now.milliseconds,
        ])
    }
    if let trace = change.trace { try leave(trace, profile: job.key.profile, in: database) }
    return job
  }

  private static func insert(_ job: Job, in database: Database) throws -> Int64 {
    do {
      try database.execute(
        cached: """
          INSERT INTO jobs (\(JobRow.columns)) VALUES (\(JobRow.places))
          """, arguments: StatementArguments(try JobRow.values(job)))
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
      throw stale(job)
    }
    return database.lastInsertedRowID
  }

  private static func update(_ job: Job, over revision: Int, in database: Database) throws -> Int64 {
    let key: [any DatabaseValueConvertible] = [
      job.key.profile, job.key.recipe, job.key.path.string, revision,
    ]
    let statement = try database.cachedStatement(
      sql: """
        UPDATE jobs SET (\(JobRow.columns)) = (\(JobRow.places))
        WHERE profile = ? AND recipe = ? AND path = ? AND revision = ? RETURNING id
        """)
    let arguments = StatementArguments(try JobRow.values(job) + key)
    guard let id = try Int64.fetchOne(statement, arguments: arguments) else { throw stale(job) }
    return id
  }

  private static func leave(_ trace: Trace, profile: String, in database: Database) throws {
    try database.execute(
      cached: """
        INSERT OR REPLACE INTO traces (profile, path, size, modified, inode, md5, origin)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        profile, trace.path.string, trace.stamp.size, trace.stamp.modified,
        Int64(bitPattern: trace.stamp.inode), trace.md5.hex, trace.origin?.string,
      ])
  }

  private static func stale(_ job: Job) -> LedgerError {
    LedgerError(.stale, "The record of \(job.key.path) was changed by somebody else meanwhile.")
  }

  // MARK: - The store

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(LedgerError) -> Value {
    do {
      switch access {
      case .owner(let store, _): return try await store.read(body)
      case .reader(let reader): return try await reader.read(body)
      }
    } catch {
      throw LedgerError(reading: error, path)
    }
  }

  func write<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(LedgerError) -> Value {
    guard case .owner(let store, _) = access else {
      throw LedgerError(.unavailable, "The ledger \(path) is open for reading only.")
    }
    do { return try await store.write(body) } catch { throw LedgerError(reading: error, path) }
  }
}

extension Database {
  fileprivate func execute(cached sql: String, arguments: StatementArguments) throws {
    try cachedStatement(sql: sql).execute(arguments: arguments)
  }
}
