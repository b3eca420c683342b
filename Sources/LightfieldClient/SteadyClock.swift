/// A clock that never jumps, and waiting by it; handed in from outside so that tests need not wait.
package struct SteadyClock: Sendable {
  private let read: @Sendable () -> Duration
  private let wait: @Sendable (Duration) async throws -> Void

  /// - Parameters:
  ///   - read: the time since some fixed moment.
  ///   - wait: returns when so much time has passed; throws when its task is cancelled.
  package init(
    read: @escaping @Sendable () -> Duration, wait: @escaping @Sendable (Duration) async throws -> Void
  ) {
    self.read = read
    self.wait = wait
  }

  /// The time since some fixed moment.
  package var now: Duration { read() }

  /// Waits; throws when the task is cancelled.
  package func sleep(_ duration: Duration) async throws { try await wait(duration) }

  /// The clock of this machine.
  package static let system = {
    let start = ContinuousClock.now
    return SteadyClock(
      read: { ContinuousClock.now - start },
      wait: { try await Task.sleep(for: $0, clock: .continuous) })
  }()
}
