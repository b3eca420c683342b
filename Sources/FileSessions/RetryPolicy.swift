/// When a failed call is tried again, and how long to wait before.
///
/// The figures of ``standard`` are those of the official clients: two more tries, first after half a second,
/// doubling to eight seconds, each wait shortened at random by up to a quarter; a wait that the service asks for
/// is obeyed up to a minute.
package struct RetryPolicy: Hashable, Sendable {
  /// How often a call is made at the most, the first time included.
  package var attempts: Int
  package var firstWait: Duration
  package var longestWait: Duration
  /// The part by which a wait may be shortened at random, 0…1.
  package var jitter: Double
  /// The longest wait that a service can ask for; a longer one is not obeyed and the backoff's own is used.
  package var longestAskedWait: Duration
  /// How often a call is made that fails with these, instead of ``attempts``.
  package var attemptsByKind: [ServiceError.Kind: Int] = [:]

  package init(
    attempts: Int, firstWait: Duration, longestWait: Duration, jitter: Double, longestAskedWait: Duration
  ) {
    self.attempts = attempts
    self.firstWait = firstWait
    self.longestWait = longestWait
    self.jitter = jitter
    self.longestAskedWait = longestAskedWait
  }

  package static let standard = RetryPolicy(
    attempts: 3, firstWait: .milliseconds(500), longestWait: .seconds(8), jitter: 0.25,
    longestAskedWait: .seconds(60))

  /// What follows a failed try.
  package enum Decision: Hashable, Sendable {
    case retry(after: Duration)
    case giveUp
  }

  /// Decides after a failed try.
  ///
  /// - Parameters:
  ///   - attempt: which try it was, from 1.
  ///   - chance: a random number of 0..<1, for the jitter.
  package func decide(after error: ServiceError, attempt: Int, chance: Double) -> Decision {
    guard attempt < attemptsByKind[error.kind] ?? attempts, error.shouldRetry ?? error.kind.isTransient else {
      return .giveUp
    }
    if let asked = error.retryAfter, asked > .zero, asked <= longestAskedWait {
      return .retry(after: asked)
    }
    var wait = firstWait
    for _ in 1..<max(attempt, 1) where wait < longestWait { wait *= 2 }
    return .retry(after: min(wait, longestWait) * (1 - jitter * chance))
  }
}

/// Runs single attempts under a ``RetryPolicy``: the one place where anything is tried again.
package struct Retrier: Sendable {
  package let policy: RetryPolicy
  /// Waits; throws when the task is cancelled.
  package let sleep: @Sendable (Duration) async throws -> Void
  /// Random numbers of 0..<1.
  package let chance: @Sendable () -> Double

  /// - Parameters:
  ///   - sleep: waits; throws when the task is cancelled.
  ///   - chance: random numbers of 0..<1.
  package init(
    policy: RetryPolicy,
    sleep: @escaping @Sendable (Duration) async throws -> Void,
    chance: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
  ) {
    self.policy = policy
    self.sleep = sleep
    self.chance = chance
  }

  /// The same under another policy.
  package func following(_ policy: RetryPolicy) -> Retrier {
    Retrier(policy: policy, sleep: sleep, chance: chance)
  }

  /// Calls `attempt` until it succeeds or the policy gives up; then throws the last error.
  ///
  /// - Parameter onRetry: is told of each failed try that another one follows on, and how long is waited before.
  package func callAsFunction<Value: Sendable>(
    onRetry: (ServiceError, Duration) -> Void = { _, _ in },
    _ attempt: () async throws(ServiceError) -> Value
  ) async throws(ServiceError) -> Value {
    var number = 1
    while true {
      do throws(ServiceError) {
        return try await attempt()
      } catch {
        guard case .retry(let wait) = policy.decide(after: error, attempt: number, chance: chance()) else {
          throw error
        }
        onRetry(error, wait)
        do { try await sleep(wait) } catch _ { throw error }
        number += 1
      }
    }
  }
}
