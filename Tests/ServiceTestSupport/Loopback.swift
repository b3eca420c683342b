import FileServer
import FileSessions
import LightfieldClient
import LocalService
import Synchronization

/// A server of this process on a free port, and clients of it.
package final class Loopback: Sendable {
  /// Where the API is, as clients are to name it.
  package let url: String
  /// The server's own port.
  package let port: Int
  private let server: FileServer
  private let clock: ManualClock
  private let trustRoots: String?
  private let clients = Mutex<[LightfieldClient]>([])

  /// Serves a store as long as `body` runs. Nothing but `rateLimit` holds requests up.
  ///
  /// Where ``MessageLog`` is wanted and nothing is encrypted, everything passes a proxy that writes it down.
  package static func with<Result: Sendable>(
    _ store: LocalStore, clock: ManualClock, certificates: CertificateMaker? = nil, rateLimit: Int? = nil,
    _ body: (Loopback) async throws -> Result
  ) async throws -> Result {
    var configuration = FileServerConfiguration()
    configuration.port = 0
    configuration.rateLimit = rateLimit
    configuration.tls = certificates.map { .init(certificateChain: $0.certificate, privateKey: $0.key) }
    var surroundings = FileServerSurroundings()
    surroundings.clock = clock.wallClock
    return try await FileServer.withRunning(
      store: store, configuration: configuration, surroundings: surroundings
    ) { server, address in
      let log = certificates == nil ? try MessageLog.ifWanted() : nil
      let proxy: FaultProxy? =
        if let log { try await FaultProxy.start(before: address.port, record: log.write) } else { nil }
      let loopback = Loopback(
        url: proxy.map { "http://127.0.0.1:\($0.port)" } ?? address.url, port: address.port, server: server,
        clock: clock, trustRoots: certificates?.authority)
      let result: Swift.Result<Result, any Error>
      do { result = .success(try await body(loopback)) } catch { result = .failure(error) }
      await loopback.close()
      await proxy?.stop()
      return try result.get()
    }
  }

  private init(url: String, port: Int, server: FileServer, clock: ManualClock, trustRoots: String?) {
    self.url = url
    self.port = port
    self.server = server
    self.clock = clock
    self.trustRoots = trustRoots
  }

  /// Everything that the server counted so far.
  package var metrics: String { server.metricsText }

  /// A client with this key, which never waits for its turn; it is closed with the server.
  package func client(key: APIKey) throws(ServiceError) -> LightfieldClient {
    let client = try LightfieldClient(
      key: key, configuration: LightfieldClient.Configuration(baseURL: url, trustRoots: trustRoots),
      pacer: Pacer(clock: .skipping), clock: clock.wallClock)
    clients.withLock { $0.append(client) }
    return client
  }

  private func close() async {
    for client in clients.withLock({ $0 }) { await client.shutdown() }
  }
}
