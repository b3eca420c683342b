import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// Serves what a ``PrometheusRegistry`` has at `/metrics`, to whoever can reach the address.
package enum MetricsListener {
  /// Nobody can listen there.
  package struct Refused: Error, CustomStringConvertible {
    package let description: String

    fileprivate init(_ error: any Error, _ host: String, _ port: Int) {
      let place = MetricsListener.place(host, port)
      switch (error as? IOError)?.errnoCode {
      case EADDRINUSE:
        description =
          "\(place) is in use: another process listens there. Name another port, or 0 for one that is free."
      case EADDRNOTAVAIL:
        description =
          "\(host) is no address of this machine. 127.0.0.1 is for readers on it, 0.0.0.0 for whoever can reach it."
      case EACCES:
        description = "Nobody but root may listen at \(place). Name a port from 1024 on."
      default:
        description =
          error is SocketAddressError.UnknownHost
          ? "The host \(host) is not known. Name an address of this machine, such as 127.0.0.1."
          : "Nothing can listen at \(place): \(error)."
      }
    }
  }

  private static func place(_ host: String, _ port: Int) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  /// As Prometheus' text format is called.
  private static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Serves as long as `body` runs. Throws a ``Refused`` when it cannot listen; `body` is not called then.
  ///
  /// - Parameters:
  ///   - port: 0 for any that is free.
  ///   - refresh: called before each answer, to bring up to date what is not counted as it happens.
  ///   - body: is told the address: `http://127.0.0.1:9400/metrics`.
  package static func serving<Result: Sendable>(
    _ registry: PrometheusRegistry, host: String, port: Int,
    refresh: @escaping @Sendable () async -> Void = {}, _ body: (String) async throws -> Result
  ) async throws -> Result {
    let (bound, binding) = AsyncStream.makeStream(of: Int.self)
    let logger = Logger(label: "moontide.metrics") { _ in SwiftLogNoOpLogHandler() }
    let server = try HTTPServerBuilder.http1().buildServer(
      configuration: .init(address: .hostname(host, port: port)),
      eventLoopGroup: EventLoopGroupProvider.singleton.eventLoopGroup, logger: logger,
      responder: { request, writer, _ in
        try await answer(to: request, writer, registry, refresh)
      },
      onServerRunning: { channel in
        binding.yield(channel.localAddress?.port ?? port)
        binding.finish()
      })
    var configuration = ServiceGroupConfiguration(services: [server], logger: logger)
    // Nobody waits for a reader who does not take his answer.
    configuration.maximumGracefulShutdownDuration = .seconds(2)
    let group = ServiceGroup(configuration: configuration)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        // However it ends, nobody waits for a port any longer.
        defer { binding.finish() }
        do {
          try await group.run()
        } catch {
          throw Refused(error, host, port)
        }
      }
      var ports = bound.makeAsyncIterator()
      guard let port = await ports.next() else {
        try await tasks.waitForAll()
        throw CancellationError()
      }
      do {
        let result = try await body("http://\(place(host, port))/metrics")
        await group.triggerGracefulShutdown()
        _ = try? await tasks.waitForAll()
        return result
      } catch {
        await group.triggerGracefulShutdown()
        _ = try? await tasks.waitForAll()
        throw error
      }
    }
  }

  private static func answer(
    to request: Request, _ writer: consuming ResponseWriter, _ registry: PrometheusRegistry,
    _ refresh: () async -> Void
  ) async throws {
    let path = (request.head.path ?? "").prefix { $0 != "?" }
    var (response, text) = (Response(status: .ok), "")
    switch (path, request.head.method) {
    case ("/metrics", .get), ("/metrics", .head):
      await refresh()
      text = registry.text
      response.headers[.contentType] = contentType
    case ("/metrics", _):
      response = Response(status: .methodNotAllowed)
      response.headers[.allow] = "GET, HEAD"
    default:
      response = Response(status: .notFound)
      text = "Metrics are at /metrics.\n"
      response.headers[.contentType] = "text/plain; charset=utf-8"
    }
    response.headers[.contentLength] = String(text.utf8.count)
    if request.head.method == .head {
      try await writer.writeResponse(response.head)
    } else {
      try await writer.write(
        response: response.head, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
  }
}
