import AsyncHTTPClient
import Glibc
import LuaLibrary
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// What `moontide.http` goes through: one client for all scripts, with a pool of connections.
///
/// It follows no redirects and adds no credentials, no cookies and no proxy: `HTTP_PROXY` and the like are not
/// looked at. Certificates are checked against the system's.
package final class HTTPClientTransport: WebTransport {
  private enum State {
    /// Nothing was asked yet, and there are no threads and sockets.
    case idle
    case open(HTTPClient)
    case ended
  }

  private let state = Mutex(State.idle)

  /// Whoever makes it calls ``shutdown()`` at the end.
  package init() {}

  /// The client, made when it is first needed; nil after the end.
  private var client: HTTPClient? {
    state.withLock { state in
      switch state {
      case .open(let client): return client
      case .ended: return nil
      case .idle:
        let client = Self.makeClient()
        state = .open(client)
        return client
      }
    }
  }

  private static func makeClient() -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.timeout.connect = .seconds(10)
    // Otherwise a refused connection takes the whole connect timeout.
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// Closes all connections; requests end with an error then.
  package func shutdown() async throws {
    let client = state.withLock { state in
      defer { state = .ended }
      return if case .open(let client) = state { client } else { HTTPClient?.none }
    }
    try await client?.shutdown()
  }

  package func exchange(_ request: WebRequest, limit: Int) async throws -> WebResponse {
    guard let client else { throw WebError(.connection, request.address, "the run has ended") }
    var message = HTTPClientRequest(url: request.address.description)
    message.method = HTTPMethod(rawValue: request.method)
    for header in request.headers { message.headers.add(name: header.name, value: header.value) }
    if !message.headers.contains(name: "User-Agent") {
      message.headers.add(name: "User-Agent", value: "moontide")
    }
    if !request.body.isEmpty { message.body = .bytes(request.body) }
    do {
      // The library cancels this when its own limit has passed.
      let response = try await client.execute(message, timeout: .hours(1))
      return WebResponse(
        status: Int(response.status.code), headers: response.headers.map { WebHeader($0.name, $0.value) },
        body: try await body(response, to: request, limit: limit))
    } catch let error as WebError {
      throw error
    } catch {
      try Task.checkCancellation()
      throw WebError(.connection, request.address, "no answer: \(Self.reason(error))")
    }
  }

  /// What went wrong, in the system's own words where it was the system.
  private static func reason(_ error: any Error) -> String {
    if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
    if let error = error as? NIOConnectionError {
      return error.connectionErrors.first.map { reason($0.error) } ?? "no address is known for that name"
    }
    let text = "\(error)"
    if text.contains("CERTIFICATE_VERIFY_FAILED") { return "the server's certificate is not trusted" }
    // What follows tells where in the library's source.
    if text.hasPrefix("handshakeFailed") { return "the connection could not be encrypted" }
    return text
  }

  private func body(_ response: HTTPClientResponse, to request: WebRequest, limit: Int) async throws
    -> [UInt8]
  {
    let tooLarge = WebError(
      .tooLarge, request.address, "the answer is longer than \(limit) bytes; raise max_size, or ask for less")
    // The answer to HEAD tells the length of a body that does not come.
    if request.method != "HEAD", response.status != .notModified,
      let length = response.headers.first(name: "Content-Length"), Int(length) ?? 0 > limit
    {
      throw tooLarge
    }
    var bytes: [UInt8] = []
    for try await piece in response.body {
      guard bytes.count + piece.readableBytes <= limit else { throw tooLarge }
      bytes.append(contentsOf: piece.readableBytesView)
    }
    return bytes
  }
}
