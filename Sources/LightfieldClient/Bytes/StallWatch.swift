/// Ends work that stands still.
///
/// The HTTP library's own limit on writing does not run while the other side takes nothing, which is the very case
/// that needs one.
struct StallWatch: Sendable {
  let clock: SteadyClock
  let limit: Duration

  /// Work that made no progress for so long.
  struct Stalled: Error {}

  /// Runs `work`, and cancels it with ``Stalled`` when `progress` gives the same number for as long as the limit.
  ///
  /// - Parameters:
  ///   - isDone: whether the progress has come to its end, after which standing still is no fault.
  ///   - isHeld: whether nothing is to be sent for the moment, which is no fault of the other side.
  func run<Value: Sendable>(
    progress: @escaping @Sendable () -> Int64, isDone: @escaping @Sendable () -> Bool,
    isHeld: @escaping @Sendable () -> Bool = { false },
    _ work: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await work() }
      group.addTask { [clock, limit] in
        var last = progress()
        while !isDone() {
          try await clock.sleep(limit)
          let now = progress()
          if now == last, !isDone(), !isHeld() { throw Stalled() }
          last = now
        }
        return nil
      }
      defer { group.cancelAll() }
      while let value = try await group.next() {
        if let value { return value }
      }
      throw CancellationError()
    }
  }
}
