import FileSessions

/// How a server is run. Times and sizes have defaults that suit the API's own limits.
package struct FileServerConfiguration: Sendable {
  /// A certificate and its key, in PEM files.
  package struct TLS: Hashable, Sendable {
    /// The server's certificate, followed by those that lead to a known one.
    package var certificateChain: String
    package var privateKey: String

    package init(certificateChain: String, privateKey: String) {
      self.certificateChain = certificateChain
      self.privateKey = privateKey
    }
  }

  /// The address to listen on; the loopback one unless told otherwise.
  package var host = "127.0.0.1"
  /// 0 for any that is free.
  package var port = 8787
  /// Requests a second of an organisation in each of write, read and search; nil for no limit.
  package var rateLimit: Int? = 25
  package var tls: TLS?
  /// Scheme and host, such as `https://files.example`, under which clients see the server; nil for the host that
  /// each request names.
  package var publicURL: String?
  /// How long a connection may be without a request, a request's headers may take, and an answer may stand unread.
  package var idleTimeout = Duration.seconds(30)
  /// The fewest bytes a second of a request's body, over half the idle timeout.
  package var minimumRate = 1024
  /// The largest body of a call that takes JSON, in bytes.
  package var maximumJSONBytes = 1 << 20
  /// The largest headers of a request in all, in bytes.
  package var maximumHeaderBytes = 32 << 10
  /// Connections that are open at once; more wait.
  package var maximumConnections = 1000
  /// How long requests that are under way at the end may take.
  package var drainTimeout = Duration.seconds(30)
  /// How often sessions whose time has passed are looked for.
  package var settleInterval = Duration.seconds(60)

  package init() {}
}

/// What a server takes from its surroundings.
package struct FileServerSurroundings: Sendable {
  /// What URLs expire by, and the `date` of answers.
  package var clock = WallClock.system
  /// The time since any fixed moment, which never goes back: what rates are counted by.
  package var uptime: @Sendable () -> Duration = {
    let start = ContinuousClock.now
    return { ContinuousClock.now - start }
  }()
  /// Waits; throws when the task is cancelled.
  package var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  /// Takes each line of the access log.
  package var record: @Sendable (AccessRecord) -> Void = { _ in }

  package init() {}
}
