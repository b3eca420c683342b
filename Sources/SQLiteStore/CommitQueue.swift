import GRDB
import Synchronization

/// Gathers writes that arrive while a commit is under way into the next one.
///
/// A durable commit waits for the disk; with many writers, waiting once for all of them makes it nearly free.
/// Each write runs in a savepoint of its own, so one that fails takes no other with it.
final class CommitQueue: Sendable {
  private struct Write: Sendable {
    /// Runs the body and keeps what came of it; throws to have the savepoint rolled back.
    let run: @Sendable (Database) throws -> Void
    /// Notes that the savepoint was rolled back, whatever the body came to.
    let fail: @Sendable (any Error) -> Void
    /// Tells the waiting task, with the commit's own error if that failed.
    let finish: @Sendable ((any Error)?) -> Void
  }

  private struct State {
    var waiting: [Write] = []
    var isDraining = false
  }

  private let writer: any DatabaseWriter
  private let state = Mutex(State())

  init(_ writer: any DatabaseWriter) {
    self.writer = writer
  }

  func write<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let outcome = Outcome<Value>()
      let write = Write(
        run: { database in
          let result = Result { try body(database) }
          outcome.result.withLock { $0 = result }
          _ = try result.get()
        },
        fail: { error in outcome.result.withLock { $0 = .failure(error) } },
        finish: { commitError in
          switch (outcome.result.withLock { $0 }, commitError) {
          case (.success?, let error?), (nil, let error?): continuation.resume(throwing: error)
          case (let result?, _): continuation.resume(with: result)
          case (nil, nil): continuation.resume(throwing: CancellationError())
          }
        })
      if enqueue(write) {
        writer.asyncWriteWithoutTransaction { database in self.drain(database) }
      }
    }
  }

  /// Adds a write; true when nobody is draining, and the caller has to begin.
  private func enqueue(_ write: Write) -> Bool {
    state.withLock { state in
      state.waiting.append(write)
      defer { state.isDraining = true }
      return !state.isDraining
    }
  }

  private func drain(_ database: Database) {
    while true {
      let batch = state.withLock { state in
        let batch = state.waiting
        state.waiting = []
        state.isDraining = !batch.isEmpty
        return batch
      }
      guard !batch.isEmpty else { return }
      commit(batch, database)
    }
  }

  private func commit(_ batch: [Write], _ database: Database) {
    var commitError: (any Error)?
    do {
      try database.inTransaction(.immediate) {
        for write in batch {
          do {
            try database.inSavepoint {
              try write.run(database)
              return .commit
            }
          } catch {
            // The write keeps its own error for its own caller. But a full disk, or one that fails, ends the
            // whole transaction: then nothing of the batch is there, and all of it fails for that reason.
            write.fail(error)
            if !database.isInsideTransaction { throw error }
          }
        }
        return .commit
      }
    } catch {
      commitError = error
    }
    for write in batch { write.finish(commitError) }
  }

  /// What a write came to: set by the draining job, read by it afterwards.
  private final class Outcome<Value: Sendable>: Sendable {
    let result = Mutex<Result<Value, any Error>?>(nil)
  }
}
