import FileSessions

/// When something that failed for a reason that may pass has its turn again by itself, and when it is given up.
package struct Comeback: Hashable, Sendable {
  /// How often in a row a file comes back before it is given up.
  package var most: Int
  package var firstWait: Duration
  package var longestWait: Duration
  /// How long a file that was given up for such a reason waits until it is asked about again.
  package var rest: Duration

  /// For a run that ends: once, in its last round.
  package static let once = Comeback(most: 1, firstWait: .zero, longestWait: .zero, rest: .seconds(3600))

  /// For a dry run: never.
  package static let never = Comeback(
    most: 0, firstWait: .zero, longestWait: .zero, rest: .seconds(3600))

  /// For an engine that watches: after 15 seconds at first, then ever longer up to 15 minutes; given up after five
  /// times, and asked about again each hour.
  package static let watching = Comeback(
    most: 5, firstWait: .seconds(15), longestWait: .seconds(900), rest: .seconds(3600))

  /// The part by which a wait is shortened at random at the most.
  private static let jitter = 0.25

  /// How long the turn number `round` is waited for, from 1.
  ///
  /// - Parameter chance: a random number of 0..<1.
  package func wait(round: Int, chance: Double) -> Duration {
    var wait = firstWait
    for _ in 1..<max(round, 1) where wait < longestWait { wait *= 2 }
    return min(wait, longestWait) * (1 - Self.jitter * chance)
  }
}

extension Job {
  /// Whether the file failed, is not given up yet, and has its turn again by itself.
  package var comesBack: Bool { phase == .failed && rounds > 0 }

  /// Takes a failure: the file comes back by itself, or is given up.
  ///
  /// - Parameter isFollowed: whether something is to follow on a file that is given up.
  mutating func fail(
    _ failure: Failure, _ comeback: Comeback, now: Timestamp, chance: Double, isFollowed: Bool
  ) {
    phase = .failed
    self.failure = failure
    dueAt = nil
    step = nil
    if failure.mayPass, rounds < comeback.most {
      rounds += 1
      dueAt = now + comeback.wait(round: rounds, chance: chance)
    } else {
      rounds = 0
      tries += 1
      if failure.mayPass { dueAt = now + comeback.rest }
      if isFollowed { step = AfterStep() }
    }
    self.failure?.tries = tries
  }

  /// Goes on counting where an earlier record of the same content left off.
  mutating func count(on earlier: Job?) {
    guard let earlier, earlier.phase != .done, !earlier.isToBeRetried, earlier.recipeVersion == recipeVersion,
      earlier.stamp == stamp || earlier.phase.isUnderWay || earlier.failure?.kind == .changing
    else { return }
    tries = earlier.tries
    rounds = earlier.rounds
  }
}
