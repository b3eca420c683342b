import FoundationEssentials
import GRDB

/// A SQLite database that is opened with care and written with durable group commits.
///
/// Opening checks before it touches: a damaged database, a newer one, or another program's is an error, and its
/// bytes stay as they were. Writing is durable (`synchronous=FULL` over a write-ahead log): when ``write(_:)``
/// returns, the change survives a power cut. Writes that arrive while a commit is under way share the next one,
/// so that durability costs one flush for many.
package final class SQLiteStore: Sendable {
  /// The database file.
  package let path: String
  private let pool: DatabasePool
  private let commits: CommitQueue

  /// Opens the database at `path`, making it when it is not there.
  ///
  /// - Parameters:
  ///   - applicationID: SQLite's `application_id` of this kind of database, so that one kind is not taken for
  ///     another.
  ///   - migrator: the steps that lead from nothing to today's tables.
  package init(path: String, applicationID: Int32, migrator: DatabaseMigrator) throws(StoreError) {
    self.path = path
    try Self.inspect(path, applicationID: applicationID, migrator: migrator)
    do {
      pool = try DatabasePool(path: path, configuration: Self.configuration(readonly: false))
      try pool.writeWithoutTransaction { database in
        try database.execute(sql: "PRAGMA synchronous = FULL")
        let level = try Int.fetchOne(database, sql: "PRAGMA synchronous")
        guard level == 2 else {
          throw StoreError.unavailable(path, "SQLite refused synchronous=FULL")
        }
        // Only once: setting it is a write, which every opening would have to wait for.
        if try Int32.fetchOne(database, sql: "PRAGMA application_id") != applicationID {
          try database.execute(sql: "PRAGMA application_id = \(applicationID)")
        }
      }
      try migrator.migrate(pool)
      commits = CommitQueue(pool)
    } catch {
      throw Self.classify(error, path)
    }
  }

  /// Opens a database that must be there, for reading only.
  package static func reading(
    path: String, applicationID: Int32, migrator: DatabaseMigrator
  ) throws(StoreError) -> SQLiteReader {
    try inspect(path, applicationID: applicationID, migrator: migrator)
    do {
      return SQLiteReader(try DatabaseQueue(path: path, configuration: configuration(readonly: true)))
    } catch {
      throw classify(error, path)
    }
  }

  /// Reads from a snapshot; runs beside writes.
  package func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try await pool.read(body)
  }

  /// Runs `body` in a transaction and returns once it is on the disk.
  ///
  /// When `body` throws, what it did is rolled back and nothing else is.
  package func write<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try await commits.write(body)
  }

  /// Waits for what is under way and closes the file; the log beside it is folded in by whoever closes last.
  ///
  /// Optional: a process that just ends loses nothing. No call may follow.
  package func close() throws(StoreError) {
    do {
      try pool.close()
    } catch {
      throw Self.classify(error, path)
    }
  }

  /// Looks at an existing file through a read-only connection, which never writes to it.
  private static func inspect(
    _ path: String, applicationID: Int32, migrator: DatabaseMigrator
  ) throws(StoreError) {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard let size = attributes?[.size] as? UInt64 ?? (attributes?[.size] as? Int).map(UInt64.init), size > 0
    else { return }
    do {
      let queue = try DatabaseQueue(path: path, configuration: configuration(readonly: true))
      try queue.read { database in
        let owner = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let isEmpty = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") == 0
        guard owner == applicationID || (owner == 0 && isEmpty) else { throw StoreError.foreign(path) }
        if try migrator.hasBeenSuperseded(database) { throw StoreError.newer(path) }
        // A quick check reads every page: worth it while it takes milliseconds. Larger databases report damage
        // when they meet it.
        if size <= 32 << 20 {
          let verdict = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "no answer"
          guard verdict == "ok" else { throw StoreError.damaged(path, verdict) }
        }
      }
    } catch {
      throw classify(error, path)
    }
  }

  private static func configuration(readonly: Bool) -> Configuration {
    var configuration = Configuration()
    configuration.readonly = readonly
    configuration.busyMode = .timeout(30)
    configuration.journalMode = readonly ? .default : .wal
    return configuration
  }

  private static func classify(_ error: any Error, _ path: String) -> StoreError {
    switch error {
    case let error as StoreError:
      return error
    case let error as DatabaseError
    where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB:
      return .damaged(path, error.message ?? "SQLite cannot read it")
    case let error as DatabaseError:
      return .unavailable(path, error.message ?? "SQLite error \(error.resultCode.rawValue)")
    default:
      return .unavailable(path, String(describing: error))
    }
  }
}

/// A database that is only read, which needs no lock and disturbs no writer.
package final class SQLiteReader: Sendable {
  private let queue: DatabaseQueue

  init(_ queue: DatabaseQueue) {
    self.queue = queue
  }

  /// Reads from a snapshot.
  package func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try await queue.read(body)
  }
}
