/// How fast a count has grown in the last seconds.
struct RateMeter: Sendable {
  /// Older growth does not count.
  private static let window = Duration.seconds(5)
  /// Two samples are at least so far apart, so that there are never many.
  private static let step = Duration.milliseconds(250)

  private var samples: [(at: ContinuousClock.Instant, count: Int64)] = []
  private var count: Int64 = 0

  /// - Parameter now: when the count was 0.
  init(now: ContinuousClock.Instant) {
    samples = [(now, 0)]
  }

  /// The count is so much now.
  mutating func note(_ count: Int64, at now: ContinuousClock.Instant) {
    self.count = count
    guard let last = samples.last, now - last.at >= Self.step else { return }
    samples.append((now, count))
    while samples.count > 2, now - samples[1].at >= Self.window { samples.removeFirst() }
  }

  /// Growth in a second; nil where too little time has passed to tell.
  func rate(at now: ContinuousClock.Instant) -> Double? {
    guard let begin = samples.first(where: { now - $0.at <= Self.window }) ?? samples.last else { return nil }
    let seconds = (now - begin.at).inSeconds
    // A count that fell was begun anew.
    return seconds < 0.5 ? nil : max(Double(count - begin.count), 0) / min(seconds, 1e9)
  }
}
