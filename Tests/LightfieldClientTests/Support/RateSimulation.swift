import LightfieldClient

/// Random numbers that a seed repeats.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// How a service counts calls; times in microseconds.
enum Limiter: CaseIterable, Sendable {
  /// So many in each second, beginning anew with the second.
  case window
  /// So many in any second.
  case sliding
  /// A bucket of so many that is filled evenly.
  case tokens

  /// Of what was let through until now, how many more may come.
  func remaining(_ passed: [Int], limit: Int, now: Int, offset: Int) -> Int {
    switch self {
    case .window:
      let second = (now + offset) / 1_000_000
      return limit - passed.suffix(limit * 2).count { ($0 + offset) / 1_000_000 == second }
    case .sliding:
      return limit - passed.suffix(limit * 2).count { now - $0 < 1_000_000 }
    case .tokens:
      var tokens = Double(limit)
      var last = passed.first ?? now
      for moment in passed {
        tokens = min(Double(limit), tokens + Double(moment - last) * Double(limit) / 1e6) - 1
        last = moment
      }
      return Int(min(Double(limit), tokens + Double(now - last) * Double(limit) / 1e6))
    }
  }
}

/// A saturated client and a service, in a time of their own.
struct RateSimulation {
  var limiter: Limiter
  var limit = 25
  var share: Int?
  /// The way to the service, and from there until the answer is here, in microseconds.
  var way: ClosedRange<Int>
  /// How late a timer rings.
  var lateness = 0...5000
  /// Calls of somebody else, at even distances in a second.
  var foreign = 0
  var seed: UInt64 = 1

  struct Outcome {
    var served = 0
    var refused = 0
    /// The rate that the bucket had in the end.
    var rate = 0
  }

  /// Runs for so many seconds.
  func run(seconds: Int) -> Outcome {
    var random = SeededGenerator(seed: seed)
    let offset = Int.random(in: 0..<1_000_000, using: &random)
    var bucket = RateBucket(share: share)
    var outcome = Outcome()
    var passed: [Int] = []
    var foreignSent = 0
    var arrivals: [(at: Int, ticket: RateBucket.Ticket)] = []
    var answers: [(at: Int, ticket: RateBucket.Ticket, report: RateReport)] = []
    var now = 0
    var wake = 0
    while now < seconds * 1_000_000 {
      while foreign > 0, foreignSent * 1_000_000 / foreign <= now {
        if limiter.remaining(passed, limit: limit, now: now, offset: offset) > 0 { passed.append(now) }
        foreignSent += 1
      }
      for arrival in arrivals where arrival.at <= now {
        var left = limiter.remaining(passed, limit: limit, now: now, offset: offset)
        var report = RateReport(limit: limit, remaining: 0)
        if left > 0 {
          passed.append(now)
          left -= 1
          outcome.served += 1
          report.remaining = left
        } else {
          outcome.refused += 1
          report.pause = .seconds(1)
        }
        answers.append((now + Int.random(in: way, using: &random), arrival.ticket, report))
      }
      arrivals.removeAll { $0.at <= now }
      for answer in answers where answer.at <= now {
        bucket.answered(answer.ticket, answer.report, at: .microseconds(now))
        wake = now
      }
      answers.removeAll { $0.at <= now }
      if wake <= now {
        wake = .max
        asking: while true {
          switch bucket.admit(at: .microseconds(now)) {
          case .go(let ticket):
            arrivals.append((now + Int.random(in: way, using: &random), ticket))
          case .wait(let until):
            let moment =
              Int(until.components.seconds) * 1_000_000
              + Int(until.components.attoseconds / 1_000_000_000_000)
            wake = max(now + 1, moment + Int.random(in: lateness, using: &random))
            break asking
          case .full:
            break asking
          }
        }
      }
      let nextForeign = foreign > 0 ? foreignSent * 1_000_000 / foreign : .max
      let next = [arrivals.map(\.at).min(), answers.map(\.at).min(), wake, nextForeign].compactMap { $0 }
        .min()
      now = max(now + 1, next ?? .max)
    }
    outcome.rate = bucket.rate
    return outcome
  }
}
