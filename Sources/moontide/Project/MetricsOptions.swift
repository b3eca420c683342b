import ArgumentParser
import MetricsServer

/// Where a run serves what it counts.
struct MetricsOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Serve metrics in Prometheus' text at http://HOST:PORT/metrics; a port of 0 is any that is free.",
      valueName: "host:port"))
  var metrics: SocketPlace?

  /// Serves `metrics` as long as `body` runs, if that is asked for.
  func serving<Value: Sendable>(
    _ metrics: RunMetrics?, note: (String) -> Void, _ body: () async throws -> Value
  ) async throws -> Value {
    guard let place = self.metrics, let metrics else { return try await body() }
    do {
      return try await MetricsListener.serving(
        metrics.registry, host: place.host, port: place.port, refresh: { await metrics.refresh() }
      ) { url in
        note("Metrics are at \(url)")
        return try await body()
      }
    } catch let error as MetricsListener.Refused {
      throw CommandFailure(.usage, "--metrics: \(error)")
    }
  }
}

/// A host with a port: `127.0.0.1:9400`, `[::1]:9400`.
struct SocketPlace: ExpressibleByArgument {
  var host: String
  var port: Int

  init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"),
      let port = UInt16(argument[argument.index(after: colon)...])
    else { return nil }
    var host = argument[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty else { return nil }
    (self.host, self.port) = (String(host), Int(port))
  }
}
