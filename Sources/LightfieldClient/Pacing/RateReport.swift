import AsyncHTTPClient
import FileSessions
import NIOHTTP1

/// What an answer says about the limits it counts against.
package struct RateReport: Hashable, Sendable {
  /// Calls a second in all, for the whole organisation.
  package var limit: Int?
  /// How many of them are left in this second.
  package var remaining: Int?
  /// How long to wait, if the call was one too many.
  package var pause: Duration?

  package init(limit: Int? = nil, remaining: Int? = nil, pause: Duration? = nil) {
    self.limit = limit
    self.remaining = remaining
    self.pause = pause
  }

  /// Reads `X-RateLimit-Limit`, `X-RateLimit-Remaining`, and of a 429 `Retry-After` or `X-RateLimit-Reset`.
  init(_ response: HTTPClientResponse, now: Timestamp) {
    let headers = response.headers
    let number = { (name: String, most: Int) in
      headers.first(name: name).flatMap { Int($0) }.map { min(max(0, $0), most) }
    }
    limit = number("x-ratelimit-limit", 1_000_000)
    remaining = number("x-ratelimit-remaining", 1_000_000)
    guard response.status == .tooManyRequests else { return }
    let reset = number("x-ratelimit-reset", 100_000_000_000).map { seconds in
      Timestamp(milliseconds: Int64(seconds) * 1000) - (headers.date ?? now)
    }
    let asked = headers.retryAfter(now: now) ?? reset ?? .seconds(1)
    pause = min(max(asked, .milliseconds(100)), .seconds(60))
  }
}
