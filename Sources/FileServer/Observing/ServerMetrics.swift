import CoreMetrics

/// What the server counts.
struct ServerMetrics: Sendable {
  /// What each of them is about.
  static let help = [
    "moontide_http_received_bytes_total": "Bytes of requests' bodies.",
    "moontide_http_sent_bytes_total": "Bytes of answers' bodies.",
    "moontide_http_requests_in_flight": "Requests that are being answered.",
    "moontide_http_connections": "Connections that are open.",
    "moontide_http_requests_total": "Requests by route and status.",
    "moontide_http_request_seconds": "How long requests took.",
    "moontide_rate_limited_total": "Requests refused with 429, by the limit that they were above.",
    "moontide_sessions_total": "Sessions by what became of them.",
  ]

  private let factory: any MetricsFactory
  private let received: Counter
  private let sent: Counter
  private let inFlight: Meter
  private let connections: Meter

  init(_ factory: any MetricsFactory) {
    self.factory = factory
    received = Counter(label: "moontide_http_received_bytes_total", factory: factory)
    sent = Counter(label: "moontide_http_sent_bytes_total", factory: factory)
    inFlight = Meter(label: "moontide_http_requests_in_flight", factory: factory)
    connections = Meter(label: "moontide_http_connections", factory: factory)
    // Made at once, so that a rate of zero is seen as zero.
    for category in RateCategory.allCases { rateLimited(category).increment(by: 0) }
    for route in [Route.createFile, .completeFile, .cancelFile] { sessions(route)?.increment(by: 0) }
  }

  func began() { inFlight.increment() }

  /// A request was answered. `route` is nil where none serves it.
  func ended(_ route: Route?, status: Int, received: Int64, sent: Int64, took: Duration) {
    inFlight.decrement()
    self.received.increment(by: received)
    self.sent.increment(by: sent)
    let name = route.map { "\($0.method) \($0.path)" } ?? "other"
    Counter(
      label: "moontide_http_requests_total", dimensions: [("route", name), ("status", String(status))],
      factory: factory
    ).increment()
    Timer(label: "moontide_http_request_seconds", dimensions: [("route", name)], factory: factory)
      .recordNanoseconds(took.nanoseconds)
    if status == 200, let route { sessions(route)?.increment() }
  }

  func limited(_ category: RateCategory) { rateLimited(category).increment() }

  func connections(_ count: Int) { connections.set(Int64(count)) }

  private func rateLimited(_ category: RateCategory) -> Counter {
    Counter(
      label: "moontide_rate_limited_total", dimensions: [("category", category.rawValue)], factory: factory)
  }

  /// Sessions by what became of them; a replayed answer counts again, as the request that it is.
  private func sessions(_ route: Route) -> Counter? {
    let event: String
    switch route {
    case .createFile: event = "opened"
    case .completeFile: event = "completed"
    case .cancelFile: event = "cancelled"
    default: return nil
    }
    return Counter(label: "moontide_sessions_total", dimensions: [("event", event)], factory: factory)
  }
}

extension Duration {
  fileprivate var nanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }
}
