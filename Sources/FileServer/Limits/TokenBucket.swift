import FileSessions

/// A rate with room for a second's worth at once: requests that come evenly at the rate are never refused, however
/// they jitter within that second.
///
/// A value without a clock: who asks says when.
package struct TokenBucket: Hashable, Sendable {
  /// Requests a second, and how many may come at once after a pause.
  package let rate: Int
  private var tokens: Double
  private var last: Duration

  /// A full bucket. `rate` is at least 1.
  ///
  /// - Parameter now: the time since any fixed moment, as in the calls that follow.
  package init(rate: Int, at now: Duration) {
    self.rate = max(1, rate)
    tokens = Double(self.rate)
    last = now
  }

  /// What came of a request.
  package struct Ruling: Hashable, Sendable {
    package var isAllowed: Bool
    /// How many more would be allowed at once.
    package var remaining: Int
    /// How long until one is allowed; zero when this one was.
    package var wait: Duration
    /// How long until as many as ever are allowed at once.
    package var untilFull: Duration
  }

  /// Asks for one request. A clock that goes backwards counts as one that stands still.
  package mutating func take(at now: Duration) -> Ruling {
    tokens = min(Double(rate), tokens + max(0, (now - last).inSeconds) * Double(rate))
    last = max(last, now)
    // What arithmetic loses must not refuse a client that is exactly on time.
    let isAllowed = tokens >= 1 - 1e-6
    if isAllowed { tokens = max(0, tokens - 1) }
    return Ruling(
      isAllowed: isAllowed, remaining: Int(tokens), wait: isAllowed ? .zero : seconds(for: 1 - tokens),
      untilFull: seconds(for: Double(rate) - tokens))
  }

  private func seconds(for tokens: Double) -> Duration { .seconds(tokens / Double(rate)) }
}
