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
    } else if let error = failure as? NIOSSLError, case .handshakeFailed(let reason) = error {
      self.init(handshake: reason, host: host)
    } else if let error = failure as? NIOSSLExtraError {
      self.init(handshake: error, host: host)
    } else if let error = failure as? NIOConnectionError {
      self.init(.unreachable, error.sentence(host))
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

  /// - Parameter reason: tells what and, for whoever built it, where in the library's source; the latter is left out.
  private init(handshake reason: BoringSSLError, host: String) {
    let detail = "\(reason)"
    if detail.contains("CERTIFICATE_VERIFY_FAILED") {
      self.init(
        .unreachable,
        "The certificate of \(host) is not trusted: none of the authorities that this machine knows vouches for it. "
          + "If it is right, name its issuer's PEM file in SSL_CERT_FILE.",
        shouldRetry: false)
    } else if detail.contains("EOF during handshake") {
      self.init(.unreachable, "\(host) closed the connection before it was encrypted.")
    } else if detail.contains("WRONG_VERSION_NUMBER") || detail.contains("HTTP_REQUEST") {
      self.init(
        .unreachable, "\(host) does not speak TLS. Check the service's URL: is it http?", shouldRetry: false)
    } else {
      let words = detail.firstMatch(of: /OPENSSL_internal:(\w+)/).map { ": \($0.1)" } ?? ""
      self.init(
        .unreachable, "The connection to \(host) could not be encrypted\(words).", shouldRetry: false)
    }
  }

  /// What the library found wrong by itself, after a handshake that went well.
  private init(handshake error: NIOSSLExtraError, host: String) {
    let isName = error == .failedToValidateHostname || error == .serverHostnameImpossibleToMatch
    self.init(
      .unreachable,
      isName
        ? "The certificate of \(host) is not trusted: it is for another name."
        : "The connection to \(host) could not be encrypted.",
      shouldRetry: false)
  }
}

extension NIOConnectionError {
  /// The first thing that went wrong, as a sentence.
  fileprivate func sentence(_ host: String) -> String {
    if let error = connectionErrors.first?.error {
      if let error = error as? IOError { return error.sentence(host) }
      return "There is no connection to \(host): \(SafeText.line("\(error)", limit: 200))."
    }
    return "There is no connection to \(host): no address is known for that name."
  }
}

extension IOError {
  /// What the system says of a connection, as a sentence.
  fileprivate func sentence(_ host: String) -> String {
    switch errnoCode {
    case ECONNREFUSED:
      "There is no connection: nobody listens at \(host)."
    case EHOSTUNREACH, ENETUNREACH, ENETDOWN, EADDRNOTAVAIL:
      "There is no connection to \(host): no way leads there."
    case ECONNRESET, EPIPE, ECONNABORTED:
      "The connection to \(host) was broken before its answer was complete."
    default:
      "The connection to \(host) failed: \(String(cString: strerror(errnoCode)))."
    }
  }
}
