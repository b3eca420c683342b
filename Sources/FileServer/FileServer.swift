import FileSessions
import Glibc
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import LocalService
import Logging
import MetricsServer
import NIOCore
import NIOSSL
import ServiceLifecycle
import Synchronization

/// The local service over HTTP, as Lightfield's own API answers.
///
/// A service of ServiceLifecycle: ``run()`` serves until a graceful shutdown, finishes what is under way, and closes
/// what takes longer than the drain timeout. It runs once.
package final class FileServer: Service {
  /// Where a server that runs can be reached.
  package struct Address: Hashable, Sendable {
    package var host: String
    package var port: Int
    /// Scheme, host and port, such as `http://127.0.0.1:8787`.
    package var url: String
  }

  private let door: FrontDoor
  private let secure: TLSConfiguration?
  private let onBound: @Sendable (Address) async -> Void

  /// Prepares to serve a store; nothing listens yet. Throws when the certificate or the store's secret cannot be used.
  ///
  /// - Parameters:
  ///   - onBound: called once the server listens.
  package init(
    store: LocalStore, configuration: FileServerConfiguration = FileServerConfiguration(),
    surroundings: FileServerSurroundings = FileServerSurroundings(),
    onBound: @escaping @Sendable (Address) async -> Void = { _ in }
  ) throws(FileServerError) {
    let registry = PrometheusRegistry(help: ServerMetrics.help)
    door = FrontDoor(
      store: store, configuration: configuration, surroundings: surroundings,
      signer: URLSigner(try SigningSecret.load(in: store.directory)),
      limiter: configuration.rateLimit.map { RateLimiter(rate: $0, clock: surroundings.uptime) },
      registry: registry, metrics: ServerMetrics(registry), connections: ConnectionTable(),
      identifiers: .system)
    secure = try configuration.tls.map { tls throws(FileServerError) in try tls.loaded() }
    self.onBound = onBound
  }

  /// Everything counted so far, as `/metrics` gives it.
  package var metricsText: String { door.registry.text }

  /// Serves until a graceful shutdown. Throws a ``FileServerError`` when it cannot listen.
  package func run() async throws {
    let server = try makeServer()
    let (surroundings, connections) = (door.surroundings, door.connections)
    let (drain, interval, store) = (
      door.configuration.drainTimeout, door.configuration.settleInterval, door.store
    )
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while true {
          try await surroundings.sleep(interval)
          // The next round makes good what this one could not do; whoever asks for a session is not misled meanwhile.
          try? await store.settle()
        }
      }
      group.addTask {
        try await gracefulShutdown()
        try await surroundings.sleep(drain)
        connections.closeAll()
        // A connection that was being accepted may have come after.
        while true {
          try await surroundings.sleep(.milliseconds(100))
          connections.closeAll()
        }
      }
      defer { group.cancelAll() }
      do {
        try await server.run()
      } catch {
        throw FileServerError(listening: error, at: door.configuration)
      }
      connections.closeAll()
    }
  }

  private func makeServer() throws -> any Service {
    let (configuration, connections) = (door.configuration, door.connections)
    let idle = TimeAmount.nanoseconds(Int64(configuration.idleTimeout.inSeconds * 1e9))
    let patience = TransferPatience(
      idle: idle, window: .nanoseconds(idle.nanoseconds / 2), minimumRate: configuration.minimumRate,
      linger: .seconds(2))
    // Without its own idle timeout, which counts the server's slowness against the client.
    let channel = HTTP1Channel.Configuration(
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: configuration.maximumHeaderBytes,
        maxHeaderListSize: configuration.maximumHeaderBytes, maxHeaderFieldCount: 100))
    var builder = HTTPServerBuilder { responder in
      GuardedChannel(
        base: HTTP1Channel(responder: responder, configuration: channel), patience: patience,
        connections: connections)
    }
    if let secure { builder = try .tls(builder, tlsConfiguration: secure) }
    // What goes wrong with a connection is the client's to know; the access log tells what was asked and answered.
    let logger = Logger(label: "moontide.serve") { _ in SwiftLogNoOpLogHandler() }
    let (responder, onBound, scheme) = (
      Responder(door: door), onBound, configuration.tls == nil ? "http" : "https"
    )
    return try builder.buildServer(
      configuration: .init(
        address: .hostname(configuration.host, port: configuration.port),
        availableConnectionsDelegate: MaximumAvailableConnections(configuration.maximumConnections)),
      eventLoopGroup: EventLoopGroupProvider.singleton.eventLoopGroup, logger: logger,
      responder: { request, writer, channel in
        try await responder.respond(to: request, writer, from: channel)
      },
      onServerRunning: { channel in
        let port = channel.localAddress?.port ?? configuration.port
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        await onBound(
          Address(host: configuration.host, port: port, url: "\(scheme)://\(host):\(port)"))
      })
  }
}

extension FileServer {
  /// Serves as long as `body` runs, which is told where; then shuts down and waits for the end.
  package static func withRunning<Result: Sendable>(
    store: LocalStore, configuration: FileServerConfiguration = FileServerConfiguration(),
    surroundings: FileServerSurroundings = FileServerSurroundings(),
    _ body: (FileServer, Address) async throws -> Result
  ) async throws -> Result {
    let (bound, binding) = AsyncStream.makeStream(of: Address.self)
    let server = try FileServer(
      store: store, configuration: configuration, surroundings: surroundings
    ) { address in
      binding.yield(address)
      binding.finish()
    }
    let logger = Logger(label: "moontide.serve") { _ in SwiftLogNoOpLogHandler() }
    let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        // However it ends, nobody waits for an address any longer.
        defer { binding.finish() }
        try await group.run()
      }
      var addresses = bound.makeAsyncIterator()
      guard let address = await addresses.next() else {
        try await tasks.waitForAll()
        throw CancellationError()
      }
      do {
        let result = try await body(server, address)
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return result
      } catch {
        await group.triggerGracefulShutdown()
        _ = try? await tasks.waitForAll()
        throw error
      }
    }
  }
}

extension FileServerError {
  /// Why nobody can listen there.
  fileprivate init(listening failure: any Error, at configuration: FileServerConfiguration) {
    let (host, port) = (configuration.host, configuration.port)
    switch failure {
    case let error as FileServerError:
      self = error
    case let error as IOError where error.errnoCode == EADDRINUSE:
      self.init(
        .addressInUse,
        "The port \(port) of \(host) is in use, perhaps by another `moontide serve`. Name another with --port, or 0 "
          + "for any that is free.")
    case let error as IOError where error.errnoCode == EACCES:
      self.init(
        .address, "The port \(port) of \(host) may not be used by this user. Name one above 1023 with --port."
      )
    case let error as IOError where error.errnoCode == EADDRNOTAVAIL:
      self.init(
        .address, "This machine has no address \(host). Name one of its own with --host, or 0.0.0.0 for all.")
    case is SocketAddressError, is SocketAddressError.UnknownHost:
      self.init(.address, "The host \(host) is not known here. Name an address of this machine with --host.")
    default:
      self.init(.address, "The server cannot listen at \(host), port \(port): \(failure).")
    }
  }
}
