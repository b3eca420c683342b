import FileSessions
import LightfieldClient
import Synchronization
import Testing

@Suite("The rate bucket")
struct RateBucketTests {
  @Test(
    "is never refused and loses next to nothing, however the service counts",
    arguments: Limiter.allCases, [1000...5000, 20_000...30_000, 80_000...100_000])
  func atTheLimit(limiter: Limiter, way: ClosedRange<Int>) {
    for seed in 1...5 as ClosedRange<UInt64> {
      let simulation = RateSimulation(limiter: limiter, way: way, seed: seed)
      let outcome = simulation.run(seconds: 40)
      #expect(outcome.refused == 0, "seed \(seed)")
      #expect(outcome.served >= Int(0.95 * 25 * 40), "\(outcome.served) of 1000, seed \(seed)")
      #expect(outcome.rate == 25, "nobody else was there")
    }
  }

  @Test("is never refused when calls are held up on the way", arguments: Limiter.allCases)
  func jitter(limiter: Limiter) {
    for seed in 1...20 as ClosedRange<UInt64> {
      let simulation = RateSimulation(
        limiter: limiter, way: 500...150_000, lateness: 0...40_000, seed: seed)
      let outcome = simulation.run(seconds: 20)
      #expect(outcome.refused == 0, "seed \(seed)")
      #expect(outcome.served >= Int(0.8 * 25 * 20), "\(outcome.served) of 500, seed \(seed)")
    }
  }

  @Test("takes no more than its share", arguments: [1, 2, 10, 25])
  func share(share: Int) {
    let outcome = RateSimulation(limiter: .window, share: share, way: 1000...5000).run(seconds: 20)
    #expect(outcome.served <= share * 21 && outcome.served >= share * 19)
  }

  @Test("learns the service's limit from its answers", arguments: [5, 50, 100])
  func learns(limit: Int) {
    let outcome = RateSimulation(limiter: .window, limit: limit, way: 1000...5000).run(seconds: 40)
    #expect(outcome.served >= limit * 36, "\(outcome.served)")
    // A lower limit than the usual one is met in the first second.
    #expect(outcome.refused <= (limit < 25 ? 20 : 0), "\(outcome.refused)")
  }

  @Test("leaves to others what they use")
  func others() {
    let outcome = RateSimulation(limiter: .sliding, way: 1000...5000, foreign: 10).run(seconds: 60)
    #expect(outcome.served >= 60 * 10, "\(outcome.served)")
    #expect(Double(outcome.refused) <= 0.05 * Double(outcome.served), "\(outcome.refused)")
  }

  @Test("waits as long as a 429 says, and goes on more slowly for a while")
  func refused() throws {
    var bucket = RateBucket(share: nil)
    guard case .go(let ticket) = bucket.admit(at: .zero) else { throw Unexpected() }
    bucket.answered(ticket, RateReport(limit: 25, remaining: 0, pause: .seconds(7)), at: .milliseconds(10))
    #expect(bucket.rate < 25)
    guard case .wait(until: .milliseconds(7010)) = bucket.admit(at: .milliseconds(20)) else {
      throw Unexpected()
    }
    guard case .go = bucket.admit(at: .milliseconds(7010)) else { throw Unexpected() }
  }

  private struct Unexpected: Error {}
}

/// A clock that stands still until it is told to go on.
final class ManualClock: Sendable {
  private struct Sleeper {
    var until: Duration
    var wake: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now = Duration.zero
    var sleepers: [Int: Sleeper] = [:]
    var count = 0
  }

  private let state = Mutex(State())

  var steady: SteadyClock {
    SteadyClock(read: { self.state.withLock { $0.now } }, wait: { try await self.sleep($0) })
  }

  /// Goes on, and wakes who slept until then.
  func advance(_ duration: Duration) {
    let woken = state.withLock { state in
      state.now += duration
      let due = state.sleepers.filter { $0.value.until <= state.now }
      for number in due.keys { state.sleepers[number] = nil }
      return due.values.map(\.wake)
    }
    for wake in woken { wake.resume() }
  }

  private func sleep(_ duration: Duration) async throws {
    let number = state.withLock { state in
      state.count += 1
      return state.count
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (wake: CheckedContinuation<Void, any Error>) in
        let isOver = state.withLock { state in
          guard !Task.isCancelled, duration > .zero else { return true }
          state.sleepers[number] = Sleeper(until: state.now + duration, wake: wake)
          return false
        }
        if isOver { Task.isCancelled ? wake.resume(throwing: CancellationError()) : wake.resume() }
      }
    } onCancel: {
      state.withLock { $0.sleepers.removeValue(forKey: number) }?.wake.resume(throwing: CancellationError())
    }
  }
}

@Suite("The pacer")
struct PacerTests {
  private func share(_ text: String) throws -> RateShares { try RateShares(parsing: [text]) }

  @Test("lets go who came first, and forgets who does not want to wait any more", .timeLimit(.minutes(1)))
  func order() async throws {
    let clock = ManualClock()
    let pacer = Pacer(rates: try share("write=1"), clock: clock.steady)
    let first = try await pacer.admit(.write)
    await pacer.answered(first, RateReport(limit: 25, remaining: 24))
    let order = Noted<[Int]>([])
    var tasks: [Task<Void, any Error>] = []
    for number in 0..<4 {
      tasks.append(
        Task {
          let pass = try await pacer.admit(.write)
          order.change { $0.append(number) }
          await pacer.answered(pass, nil)
        })
      while await pacer.waiting(.write) <= number { await Task.yield() }
    }
    tasks[1].cancel()
    await #expect(throws: CancellationError.self) { try await tasks[1].value }
    // Others do not wait for writers.
    _ = try await pacer.admit(.read)
    while await pacer.waiting(.write) > 0 {
      clock.advance(.milliseconds(100))
      await Task.yield()
    }
    for task in [tasks[0], tasks[2], tasks[3]] { try await task.value }
    #expect(order.value == [0, 2, 3])
  }

  @Test("does not let a cancelled task wait at all")
  func cancelled() async throws {
    let pacer = Pacer()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      _ = try await pacer.admit(.write)
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("understands shares as they are written on a command line")
  func shares() throws {
    let shares = try RateShares(parsing: ["write=10,read=5", " search = 1 ", "read=7"])
    #expect(shares[.write] == 10 && shares[.read] == 7 && shares[.search] == 1)
    #expect(RateShares()[.write] == nil)
    for text in [
      "", "write", "write=", "write=0", "write=-1", "write=x", "all=3", "write=1,", "write=99999999",
    ] {
      #expect(throws: InvalidRateShare.self) { try RateShares(parsing: [text]) }
    }
  }
}

@Suite("The client's pace")
struct ClientPaceTests {
  @Test("counts each call in its category")
  func categories() async throws {
    let server = try StubServer { Fixture.answer($0, bytesAt: "http://127.0.0.1:1") }
    let expected: [String: RateCategory] = [
      "create": .write, "complete": .write, "cancel": .write, "create a meeting": .write,
      "update a meeting": .write, "retrieve": .read, "url": .read, "validate": .read,
      "retrieve a meeting": .read, "list": .search, "list meetings": .search,
    ]
    for call in APICall.all {
      guard let category = expected[call.name] else { continue }
      let clock = ManualClock()
      try await withClient(
        server.url, pacer: Pacer(rates: try RateShares(parsing: ["\(category)=1"]), clock: clock.steady),
        steadyClock: clock.steady
      ) { client in
        try await call.run(client)
        // The second of a category has to wait, and the time stands still.
        let task = Task { try await call.run(client) }
        while await client.pacer.waiting(category) == 0 { await Task.yield() }
        task.cancel()
        _ = await task.result
      }
    }
  }

  @Test("is that of all clients of one pacer together", .timeLimit(.minutes(1)))
  func together() async throws {
    let server = try StubServer { Fixture.answer($0, bytesAt: "http://127.0.0.1:1") }
    let clock = ManualClock()
    let pacer = Pacer(rates: try RateShares(parsing: ["read=1"]), clock: clock.steady)
    try await withClient(server.url, pacer: pacer, steadyClock: clock.steady) { first in
      try await withClient(server.url, pacer: pacer, steadyClock: clock.steady) { second in
        let calls = [first, second].map { client in Task { _ = try await client.retrieve("fil_1") } }
        // The time stands still: one of them goes, the other's client has made no call and waits all the same.
        while await pacer.waiting(.read) + server.requests.count < 2 { await Task.yield() }
        #expect(server.requests.count == 1)
        while await pacer.waiting(.read) > 0 {
          clock.advance(.milliseconds(100))
          await Task.yield()
        }
        for call in calls { try await call.value }
        #expect(server.requests.count == 2)
      }
    }
  }

  @Test("follows what answers say of the limits")
  func headers() async throws {
    let server = try StubServer { _ in
      .reply(200, headers: ["X-RateLimit-Limit": "40", "X-RateLimit-Remaining": "39"], Fixture.file)
    }
    try await withClient(server.url) { client in
      _ = try await client.retrieve("fil_1")
      #expect(await client.pacer.rate(.read) == 40)
      #expect(await client.pacer.rate(.write) == 25)
    }
  }
}
