import FileSessions
import Synchronization

/// The rates of all organisations: each has three, for writing, reading and searching.
final class RateLimiter: Sendable {
  private struct Key: Hashable {
    var organisation: String
    var category: RateCategory
  }

  private let rate: Int
  private let clock: @Sendable () -> Duration
  private let buckets = Mutex<[Key: TokenBucket]>([:])

  /// - Parameters:
  ///   - rate: requests a second in each category.
  ///   - clock: the time since any fixed moment, which never goes back.
  init(rate: Int, clock: @escaping @Sendable () -> Duration) {
    self.rate = rate
    self.clock = clock
  }

  /// Counts a request.
  func take(_ category: RateCategory, for organisation: String) -> TokenBucket.Ruling {
    let now = clock()
    return buckets.withLock { buckets in
      // Organisations come from keys that were made here, so the table does not grow with what is asked.
      buckets[Key(organisation: organisation, category: category), default: TokenBucket(rate: rate, at: now)]
        .take(at: now)
    }
  }
}

extension TokenBucket.Ruling {
  /// What every answer of the API says of the rate.
  func headers(rate: Int, at now: Timestamp) -> [(name: String, value: String)] {
    let reset = now + untilFull
    return [
      ("x-ratelimit-limit", String(rate)), ("x-ratelimit-remaining", String(remaining)),
      ("x-ratelimit-reset", String((reset.milliseconds + 999) / 1000)),
    ]
  }

  /// The 429 for a request that came too soon.
  func refusal(rate: Int, _ category: RateCategory) -> ServiceError {
    ServiceError(
      .tooManyRequests,
      "More than \(rate) \(category) requests a second. Ask again in \(wait.wholeMilliseconds + 1) ms.",
      retryAfter: wait + .milliseconds(1))
  }
}
