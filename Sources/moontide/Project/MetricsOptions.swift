import ArgumentParser
import MetricsServer

/// Where a run serves what it counts.
struct MetricsOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Serve metrics in Prometheus' text at http://HOST:PORT/metrics; a port of 0 is any that is free.",
      valueName: "host:port"), transform: SocketPlace.init)
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
struct SocketPlace {
  /// What is wrong with a text.
  struct Problem: Error, CustomStringConvertible {
    let description: String

    fileprivate static let shape = Problem(
      description: "it takes a host and a port, such as 127.0.0.1:9400 or [::1]:9400")
  }

  var host: String
  var port: Int

  init(_ argument: String) throws {
    guard !argument.contains("/") else { throw Problem.shape }
    guard let colon = argument.lastIndex(of: ":") else { throw Problem.shape }
    let number = argument[argument.index(after: colon)...]
    guard let port = UInt16(number) else {
      throw number.isEmpty || !number.allSatisfy(\.isNumber)
        ? Problem.shape : Problem(description: "the port \(number) is not from 0 to 65535")
    }
    var host = argument[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      throw Problem(description: "an IPv6 address stands in brackets: [\(host)]:\(number)")
    }
    guard !host.isEmpty else { throw Problem.shape }
    (self.host, self.port) = (String(host), Int(port))
  }
}
