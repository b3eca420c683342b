import FileSessions
import GRDB
import SQLiteStore

/// The local service's directory: sessions in SQLite, bytes in files.
///
/// ```
/// service.sqlite      sessions, meetings, API keys, and the answers to requests with idempotency keys
/// blobs/ab/…          the bytes of sessions
/// incoming/…          bytes that are still arriving
/// policy.json         optional: limits and purposes in place of the standard ones
/// lock                by which processes know of each other
/// ```
///
/// What was answered is on the disk: a session when it was created, its bytes when they were received, its
/// status when it was completed. Bytes and their name are flushed before the row that names them, so that after
/// a crash at any instant every completed session has its bytes. What a crash leaves over belongs to no row, and
/// the next opening sweeps it, unless somebody else has the store open. Several processes may.
package final class LocalStore: Sendable {
  /// What opening does about leftovers.
  package enum Sweeping: Sendable {
    /// Removes them, unless another process has the store open.
    case whenAlone
    /// Leaves them: for commands that only look.
    case never
  }

  /// The store's directory.
  package let directory: String
  /// What sessions may be opened with.
  package let policy: FilePolicy
  let clock: WallClock
  let identifiers: IdentifierSource
  let database: SQLiteStore
  let blobs: BlobDirectory
  let workers: Workers
  let requestsInFlight = RequestsInFlight()
  /// Held as long as the store is open.
  private let lock: StoreLock

  /// Opens the store in `directory`, making it (for its owner's eyes only) when it is not there.
  ///
  /// A damaged database, a newer one, another program's, or a `policy.json` that cannot be understood is an
  /// error, and nothing is touched.
  ///
  /// - Parameters:
  ///   - policy: instead of `policy.json` and the standard one.
  ///   - clock: what sessions and idempotency keys expire by.
  ///   - identifiers: where ids come from.
  package static func open(
    _ directory: String, sweeping: Sweeping = .whenAlone, policy: FilePolicy? = nil,
    clock: WallClock = .system, identifiers: IdentifierSource = .system
  ) async throws(LocalStoreError) -> LocalStore {
    let workers = Workers(count: 16)
    do {
      let store = try await workers.run {
        try LocalStore(directory, policy, clock, identifiers, workers)
      }
      switch sweeping {
      case .whenAlone: try await store.sweepWhenAlone()
      case .never: try await store.onDisk { try store.lock.share() }
      }
      return store
    } catch {
      throw LocalStoreError(error, opening: directory)
    }
  }

  private init(
    _ directory: String, _ policy: FilePolicy?, _ clock: WallClock, _ identifiers: IdentifierSource,
    _ workers: Workers
  ) throws {
    self.directory = directory
    self.policy = try policy ?? PolicyFile.read(in: directory) ?? .standard
    self.clock = clock
    self.identifiers = identifiers
    self.workers = workers
    try Directory.make(directory)
    database = try SQLiteStore(
      path: directory + "/service.sqlite", applicationID: Schema.applicationID, migrator: Schema.migrator)
    blobs = BlobDirectory(in: directory)
    try blobs.prepare()
    lock = try StoreLock(directory + "/lock")
  }

  /// The service as `caller` sees it.
  package func service(for caller: Caller = .local) -> LocalFileService {
    LocalFileService(store: self, caller: caller)
  }

  /// Expires the sessions whose time has passed, removes their bytes, and forgets old idempotency keys.
  ///
  /// Whatever touches a session does so for that one. Who keeps a store open for long calls this now and then,
  /// so that the bytes of forgotten sessions do not stay.
  package func settle() async throws(ServiceError) {
    try await change { database, now in
      let table = SessionTable(database)
      var garbage: [String] = []
      for record in try table.due(at: now) {
        let change = record.expiring(at: now)
        try table.update(change.record)
        garbage += change.garbage
      }
      try AnswerTable(database).forget(at: now)
      return Outcome(result: .success(()), garbage: garbage)
    }
  }

  /// Closes the database. Optional: a process that just ends loses nothing. No call may follow.
  package func close() async throws(LocalStoreError) {
    do {
      try await workers.run { try self.database.close() }
    } catch {
      throw LocalStoreError(error, opening: directory)
    }
  }

  private func sweepWhenAlone() async throws {
    guard try await onDisk({ try self.lock.tryExclusive() }) else {
      return try await onDisk { try self.lock.share() }
    }
    try await settle()
    try await onDisk { try self.blobs.clearIncoming() }
    for shard in try await onDisk({ try self.blobs.shards() }) {
      let present = try await onDisk { try self.blobs.names(in: shard) }
      if present.isEmpty { continue }
      let named = try await read { try SessionTable($0).blobs(in: shard) }
      let leftovers = present.filter { !named.contains($0) }
      if !leftovers.isEmpty { try await onDisk { self.blobs.remove(leftovers) } }
    }
    // Between giving up the lock and sharing it somebody else may sweep; nothing of ours is on its way yet.
    try await onDisk { try self.lock.share() }
  }
}
