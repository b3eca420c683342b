import AsyncHTTPClient
import FileSessions
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import NIOSSL

/// The connections of a client: follows no redirects, adds no headers, speaks HTTP/1.1.
///
/// HTTP/2 is left out on purpose: uploads are three times slower on it, and at the rates of the API the calls gain
/// nothing from it.
struct Transport: Sendable {
  private let direct: HTTPClient
  private let proxied: HTTPClient?
  private let settings: LightfieldClient.Configuration

  init(_ settings: LightfieldClient.Configuration) throws(ServiceError) {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.httpVersion = .http1Only
    configuration.timeout.connect = TimeAmount(settings.connectTimeout)
    configuration.timeout.read = TimeAmount(settings.answerTimeout)
    // The library's limit on writing does not run while the other side takes nothing; `StallWatch` does.
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = settings.connections
    // Otherwise a refused connection or a bad certificate takes the whole connect timeout.
    configuration.connectionPool.retryConnectionEstablishment = false
    if let path = settings.trustRoots {
      try Self.check(path)
      var tls = TLSConfiguration.makeClientConfiguration()
      tls.additionalTrustRoots = [.file(path)]
      configuration.tlsConfiguration = tls
    }
    self.settings = settings
    direct = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    guard let proxy = settings.proxy.proxy else {
      proxied = nil
      return
    }
    let credentials = proxy.user.map {
      HTTPClient.Authorization.basic(username: $0, password: proxy.password ?? "")
    }
    configuration.proxy = .server(host: proxy.host, port: proxy.port, authorization: credentials)
    proxied = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  func shutdown() async {
    // The only error is that it is shut down already.
    try? await direct.shutdown()
    try? await proxied?.shutdown()
  }

  /// Sends a request and gives the head of the answer; its body can still be read.
  ///
  /// - Parameter limit: how long the answer may take to begin, nil for no limit besides a pause's.
  func begin(_ request: HTTPClientRequest, to url: ServiceURL, within limit: Duration?) async throws
    -> HTTPClientResponse
  {
    let client = settings.proxy.applies(to: url.host) && url.scheme == "https" ? proxied ?? direct : direct
    return try await client.execute(
      request, deadline: limit.map { .now() + TimeAmount($0) } ?? .distantFuture)
  }

  /// Reads the rest of an answer, which may be `limit` bytes long.
  ///
  /// - Parameter cuts: whether the beginning of a longer one will do.
  func finish(_ response: HTTPClientResponse, limit: Int, cuts: Bool) async throws -> Answer {
    var bytes: [UInt8] = []
    for try await piece in response.body {
      let room = limit - bytes.count
      if piece.readableBytes > room {
        guard cuts else { throw AnswerTooLong(limit: limit) }
        bytes.append(contentsOf: piece.readableBytesView.prefix(room))
        break
      }
      bytes.append(contentsOf: piece.readableBytesView)
    }
    // A cancelled task ends the sequence as if the body were complete.
    try Task.checkCancellation()
    return Answer(status: Int(response.status.code), headers: response.headers, body: bytes)
  }

  private static func check(_ path: String) throws(ServiceError) {
    let isReadable = access(path, R_OK) == 0
    let problem = isReadable ? "there is none in it" : String(cString: strerror(errno))
    if isReadable, let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty {
      return
    }
    throw .invalid(
      "SSL_CERT_FILE", code: .invalidValue,
      "The certificates in \(path) cannot be used: \(problem).")
  }
}

/// An answer of the API that is longer than any it gives.
struct AnswerTooLong: Error, CustomStringConvertible {
  let limit: Int
  var description: String { "the answer is longer than \(limit) bytes" }
}
