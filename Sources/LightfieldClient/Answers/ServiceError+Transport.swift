import AsyncHTTPClient
import FileSessions
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

extension ServiceError {
  /// What a failure on the way to a service, or back, means.
  ///
  /// - Parameter host: who was to be reached.
  init(transport failure: any Error, host: String, limits: LightfieldClient.Configuration) {
    if let error = failure as? ServiceError {
      self = error
    } else if failure is CancellationError {
      self = .cancelled
    } else if let error = failure as? HTTPClientError {
      self.init(client: error, host: host, limits: limits)
    } else if failure is AnswerTooLong {
      self.init(.unexpected, "\(host) gave an answer that fits nothing: \(failure).")
    } else if let error = failure as? NIOSSLError, case .handshakeFailed = error {
      self = .untrusted(host, "\(error)")
    } else if let error = failure as? NIOSSLExtraError {
      self = .untrusted(host, "\(error)")
    } else if let error = failure as? NIOConnectionError {
      self.init(.unreachable, "There is no connection to \(host): \(error.reason).")
    } else if let error = failure as? IOError {
      self.init(.unreachable, error.sentence(host))
    } else {
      self.init(
        .unreachable, "There is no answer from \(host): \(SafeText.line("\(failure)", limit: 300)).")
    }
  }

  private init(client error: HTTPClientError, host: String, limits: LightfieldClient.Configuration) {
    switch error {
    case .cancelled:
      self = .cancelled
    case .connectTimeout, .tlsHandshakeTimeout, .httpProxyHandshakeTimeout:
      self.init(
        .unreachable, "There is no connection to \(host) within \(limits.connectTimeout.inSeconds) seconds.")
    case .readTimeout, .deadlineExceeded:
      self.init(
        .unreachable, "There is no answer from \(host) within \(limits.answerTimeout.inSeconds) seconds.")
    case .remoteConnectionClosed:
      self.init(.unreachable, "\(host) closed the connection before its answer was complete.")
    case .getConnectionFromPoolTimeout:
      self.init(.unreachable, "None of the \(limits.connections) connections to \(host) became free in time.")
    case .proxyAuthenticationRequired, .invalidProxyResponse:
      self.init(
        .unreachable, "The proxy did not let the call to \(host) through: \(error.shortDescription).",
        shouldRetry: false)
    case .alreadyShutdown:
      self.init(.unreachable, "The client of \(host) is shut down.", shouldRetry: false)
    default:
      self.init(
        .unreachable, "The call to \(host) failed: \(SafeText.line(error.shortDescription, limit: 200)).")
    }
  }

  private static func untrusted(_ host: String, _ detail: String) -> ServiceError {
    ServiceError(
      .unreachable,
      "The certificate of \(host) is not trusted: \(SafeText.line(detail, limit: 200)). If it is right, name its "
        + "issuer's PEM file in SSL_CERT_FILE.",
      shouldRetry: false)
  }
}

extension NIOConnectionError {
  /// The first thing that went wrong, for a person.
  fileprivate var reason: String {
    let detail = connectionErrors.first.map { "\($0.error)" } ?? (dnsAError ?? dnsAAAAError).map { "\($0)" }
    return SafeText.line(detail ?? "no address", limit: 200)
  }
}

extension IOError {
  /// What the system says of a connection, as a sentence.
  fileprivate func sentence(_ host: String) -> String {
    switch errnoCode {
    case ECONNREFUSED:
      "There is no connection to \(host): nobody listens there."
    case EHOSTUNREACH, ENETUNREACH, ENETDOWN, EADDRNOTAVAIL:
      "There is no connection to \(host): no way leads there."
    case ECONNRESET, EPIPE, ECONNABORTED:
      "The connection to \(host) was broken before its answer was complete."
    default:
      "The connection to \(host) failed: \(SafeText.line("\(self)", limit: 200))."
    }
  }
}
