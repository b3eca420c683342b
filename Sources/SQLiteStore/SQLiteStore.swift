import FoundationEssentials
import GRDB
import Glibc

/// A SQLite database that is opened with care and written with durable group commits.
///
/// Opening checks before it touches: a damaged database, a newer one, or another program's is an error, and its
/// bytes stay as they were. Writing is durable (`synchronous=FULL` over a write-ahead log): when ``write(_:)``
/// returns, the change survives a power cut. Writes that arrive while a commit is under way share the next one,
/// so that durability costs one flush for many.
///
/// What is in it is for its owner alone, whatever the directory and the umask let others read.
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
    Self.protect(path)
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

  /// Whether a database lacks steps of `migrator`; one that cannot be read, or is none of ours, does not count as that.
  package static func isOutdated(path: String, migrator: DatabaseMigrator) throws(StoreError) -> Bool {
    do {
      let queue = try DatabaseQueue(path: path, configuration: configuration(readonly: true))
      return try queue.read { database in
        guard try database.tableExists("grdb_migrations"), try !migrator.hasBeenSuperseded(database) else {
          return false
        }
        return try !migrator.hasCompletedMigrations(database)
      }
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
      // The writer has to be the last to close: a reader may not fold in the log.
      pool.invalidateReadOnlyConnections()
      try pool.close()
    } catch {
      throw Self.classify(error, path)
    }
  }

  /// Looks at an existing file without writing to it.
  ///
  /// Even a read-only connection leaves an index of the log beside the database, and cannot remove it. Without a
  /// log there is nothing to index, and the file is read as one that does not change. Should somebody begin to
  /// write at that moment, what looks like damage is looked at again.
  private static func inspect(
    _ path: String, applicationID: Int32, migrator: DatabaseMigrator
  ) throws(StoreError) {
    guard let size = fileSize(path), size > 0 else { return }
    if fileSize(path + "-wal") ?? 0 == 0 {
      do {
        return try inspect(at: unchanging(path), path, size, applicationID, migrator)
      } catch  where error.code != .damaged || fileSize(path + "-wal") ?? 0 == 0 {
        throw error
      } catch {}
    }
    try inspect(at: path, path, size, applicationID, migrator)
  }

  private static func inspect(
    at location: String, _ path: String, _ size: UInt64, _ applicationID: Int32, _ migrator: DatabaseMigrator
  ) throws(StoreError) {
    do {
      let queue = try DatabaseQueue(path: location, configuration: configuration(readonly: true))
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

  /// Sees to it that only the owner can read the database, its log and the log's index.
  ///
  /// SQLite gives the files beside it the mode that the database has. What others could read so far is closed where
  /// that can be; the rest shows when SQLite opens it.
  private static func protect(_ path: String) {
    // One that is there is not opened: closing it again would let go of SQLite's locks on it in this process.
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if descriptor >= 0 {
      Glibc.close(descriptor)
      return
    }
    for file in [path, path + "-wal", path + "-shm"] {
      var status = stat()
      guard stat(file, &status) == 0, status.st_mode & 0o007 != 0 else { continue }
      _ = chmod(file, status.st_mode & 0o700)
    }
  }

  /// The length of a file in bytes, nil when it is not there.
  private static func fileSize(_ path: String) -> UInt64? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? UInt64
  }

  /// The URI by which SQLite reads a file without locks and without files beside it.
  private static func unchanging(_ path: String) -> String {
    var uri = "file:"
    for scalar in path.unicodeScalars {
      switch scalar {
      case "%": uri += "%25"
      case "?": uri += "%3f"
      case "#": uri += "%23"
      default: uri.unicodeScalars.append(scalar)
      }
    }
    return uri + "?immutable=1"
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
    case let error as DatabaseError
    where error.resultCode == .SQLITE_READONLY || error.resultCode == .SQLITE_PERM:
      return .readOnly(path, error.message ?? "SQLite may not write it")
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
