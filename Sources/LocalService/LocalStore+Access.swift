import FileSessions
import GRDB
import SQLiteStore

/// What a write came to: an answer or a refusal, either of which may have changed rows.
struct Outcome<Value: Sendable>: Sendable {
  var result: Result<Value, ServiceError>
  /// Blobs that belong to nothing once the write is on the disk.
  var garbage: [String] = []
}

extension LocalStore {
  /// Runs work that blocks on a thread that may; failures become what the caller gets.
  func onDisk<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws(ServiceError) -> Value {
    do {
      return try await workers.run(body)
    } catch {
      throw ServiceError(storage: error, in: directory)
    }
  }

  /// Reads from a snapshot of the database.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(ServiceError) -> Value {
    do {
      return try await database.read(body)
    } catch {
      throw ServiceError(storage: error, in: directory)
    }
  }

  /// Writes, and once that is on the disk removes the blobs that belong to nothing any more.
  ///
  /// When the write itself fails no blob is removed: whether it took place may be open then, and a sweep knows.
  func change<Value: Sendable>(
    _ body: @escaping @Sendable (Database, Timestamp) throws -> Outcome<Value>
  ) async throws(ServiceError) -> Value {
    let outcome: Outcome<Value>
    do {
      outcome = try await database.write { [clock] in try body($0, clock.now) }
    } catch {
      throw ServiceError(storage: error, in: directory)
    }
    if !outcome.garbage.isEmpty {
      try await onDisk { [blobs] in blobs.remove(outcome.garbage) }
    }
    return try outcome.result.get()
  }

  /// The session `id` as it stands now; one whose time has passed is expired on this occasion.
  ///
  /// - Parameter organisation: whose it must be, or nil for a caller that proved its right in another way.
  func record(_ id: String, in organisation: String?) async throws(ServiceError) -> SessionRecord {
    guard let record = try await read({ try SessionTable($0).find(id, in: organisation) }) else {
      throw .noSuchFile(id)
    }
    guard record.isDue(at: clock.now) else { return record }
    return try await change { database, now in
      try SessionTable(database).apply(to: id, in: organisation, at: now) { record in
        SessionChange(record: record)
      }
    }
  }
}

extension SessionTable {
  /// Decides about the session as it stands at `now`, and writes what comes of it.
  ///
  /// A session whose time has passed is expired first, and stays so when the decision is a refusal.
  func apply(
    to id: String, in organisation: String?, at now: Timestamp,
    _ decide: (SessionRecord) throws(ServiceError) -> SessionChange
  ) throws -> Outcome<SessionRecord> {
    guard let found = try find(id, in: organisation) else {
      return Outcome(result: .failure(.noSuchFile(id)))
    }
    let expired = found.expiring(at: now)
    let change: SessionChange
    var refusal: ServiceError?
    do throws(ServiceError) {
      change = try decide(expired.record)
    } catch {
      change = SessionChange(record: expired.record)
      refusal = error
    }
    if change.record != found { try update(change.record) }
    return Outcome(
      result: refusal.map(Result.failure) ?? .success(change.record),
      garbage: expired.garbage + change.garbage)
  }
}
