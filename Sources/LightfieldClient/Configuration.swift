import FileSessions
import Logging

extension LightfieldClient {
  /// How a client reaches its service.
  package struct Configuration: Sendable {
    /// Where the API is: `https`, or `http` to this machine itself. A path is kept in front of `/v1/…`.
    package var baseURL: String
    /// What the client calls itself.
    package var userAgent: String
    /// A PEM file whose certificates are trusted besides the system's.
    package var trustRoots: String?
    /// Through which proxy to go.
    package var proxy: ProxySettings
    /// How long opening a connection may take.
    package var connectTimeout: Duration
    /// How long an answer may take, and each pause in it.
    package var answerTimeout: Duration
    /// How long sending bytes may stand still.
    package var stallTimeout: Duration
    /// The most connections to a host at once. Sending a file takes one, so it has to be more than the number of
    /// files under way.
    package var connections: Int
    /// Is told of every call: method, path and outcome. Never of keys, signatures or bodies.
    package var logger: Logger
    /// Is told of every call once it has ended, on any thread.
    package var note: @Sendable (CallRecord) -> Void = { _ in }

    package init(
      baseURL: String = "https://api.lightfield.app", userAgent: String = "moontide",
      trustRoots: String? = nil, proxy: ProxySettings = .none,
      connectTimeout: Duration = .seconds(10), answerTimeout: Duration = .seconds(60),
      stallTimeout: Duration = .seconds(60), connections: Int = 64,
      logger: Logger = Logger(label: "lightfield") { _ in SwiftLogNoOpLogHandler() }
    ) {
      self.baseURL = baseURL
      self.userAgent = userAgent
      self.trustRoots = trustRoots
      self.proxy = proxy
      self.connectTimeout = connectTimeout
      self.answerTimeout = answerTimeout
      self.stallTimeout = stallTimeout
      self.connections = connections
      self.logger = logger
    }

    /// The standard configuration, with the certificates of `SSL_CERT_FILE` and the proxy of `HTTPS_PROXY` and
    /// `NO_PROXY`. Throws where one of them cannot be used.
    package init(environment: [String: String]) throws(ServiceError) {
      self.init()
      trustRoots = environment["SSL_CERT_FILE"].flatMap { $0.isEmpty ? nil : $0 }
      proxy = try ProxySettings(environment: environment)
    }
  }
}
