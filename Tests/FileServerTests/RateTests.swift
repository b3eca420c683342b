import FileServer
import FileSessions
import Foundation
import Testing

@Suite struct RateTests {
  @Test func `Requests that come evenly at the rate are never refused`() {
    var bucket = TokenBucket(rate: 25, at: .zero)
    for number in 0..<10_000 {
      #expect(bucket.take(at: .milliseconds(40) * number).isAllowed)
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `Nor are those that jitter by up to half a second`(_ seed: UInt64) {
    var state = seed
    var times: [Duration] = (0..<2000).map { number in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return .milliseconds(40) * number + .milliseconds(Int64(state >> 33) % 500)
    }
    times.sort()
    var bucket = TokenBucket(rate: 25, at: .zero)
    for time in times { #expect(bucket.take(at: time).isAllowed, "seed \(seed)") }
  }

  @Test func `After a burst the rate holds, and the wait that is told is enough`() {
    var bucket = TokenBucket(rate: 25, at: .zero)
    for number in 1...25 { #expect(bucket.take(at: .zero).remaining == 25 - number) }
    var now = Duration.zero
    for _ in 0..<100 {
      let refused = bucket.take(at: now)
      #expect(!refused.isAllowed && refused.wait > .zero && refused.wait <= .milliseconds(40))
      now += refused.wait
      #expect(bucket.take(at: now).isAllowed)
    }
    // A clock that goes back gives nothing.
    #expect(!bucket.take(at: .zero).isAllowed)
    #expect(bucket.take(at: now + .seconds(100)).remaining == 24)
  }

  @Test func `Each organisation and category has its own rate, with headers on every answer`() async throws {
    let bench = try await Bench()
    let other = try await bench.key(organisation: "org_b")
    // One a second, by a clock that does not tick fast enough to matter.
    try await bench.serving({ $0.rateLimit = 1 }) { api in
      let first = try await api.call("GET", "/v1/auth/validate")
      #expect(first.status == 200)
      #expect(first.headers["x-ratelimit-limit"] == "1" && first.headers["x-ratelimit-remaining"] == "0")
      #expect(Int(first.headers["x-ratelimit-reset"] ?? "") ?? 0 >= bench.clock.now.milliseconds / 1000)
      var refused = try await api.call("GET", "/v1/auth/validate")
      while refused.status != 429 { refused = try await api.call("GET", "/v1/auth/validate") }
      #expect(refused.error?.type == "too_many_requests")
      #expect(refused.headers["retry-after"] == "1")
      #expect((1...1001).contains(Int(refused.headers["retry-after-ms"] ?? "") ?? 0))
      #expect(refused.headers["x-ratelimit-limit"] == "1")
      var stranger = api
      stranger.key = other
      #expect(try await stranger.call("GET", "/v1/auth/validate").status == 200)
      #expect(try await api.call("GET", "/v1/files").status == 200)
      #expect(try await api.call("POST", "/v1/files", "{}").status == 400)
      #expect(api.server.metricsText.contains(#"moontide_rate_limited_total{category="read"} 1"#))
    }
  }
}
