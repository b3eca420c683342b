import FileSessions
import FoundationEssentials

/// A URL that bytes or a key may be sent to: `https`, or `http` to this machine itself, without credentials in it.
struct ServiceURL: Sendable {
  /// As it was given.
  let text: String
  let scheme: String
  let host: String
  let port: Int
  /// Without a slash at its end.
  let path: String

  /// - Parameters:
  ///   - text: the whole URL.
  ///   - name: what the URL is called in the error.
  init(_ text: String, as name: String) throws(ServiceError) {
    guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
      let host = parts.host, !host.isEmpty, scheme == "https" || scheme == "http"
    else { throw Self.refusal(name, "is no https URL") }
    guard parts.user == nil, parts.password == nil else {
      throw Self.refusal(name, "contains a user or a password, which have no place there")
    }
    guard scheme == "https" || Self.isLoopback(host) else {
      throw Self.refusal(name, "is not encrypted: https is needed for \(SafeText.line(host, limit: 100))")
    }
    self.text = text
    self.scheme = scheme
    self.host = host
    port = parts.port ?? (scheme == "https" ? 443 : 80)
    let path = parts.percentEncodedPath
    self.path = path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// The base of an API: besides, without query and fragment.
  init(base text: String) throws(ServiceError) {
    try self.init(text, as: "The service's URL")
    guard !text.contains("?"), !text.contains("#") else {
      throw Self.refusal("The service's URL", "contains a query or a fragment")
    }
  }

  /// Scheme, host and port, as one text. Safe to show.
  var origin: String {
    let isUsual = port == (scheme == "https" ? 443 : 80)
    let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    return "\(scheme)://\(name)" + (isUsual ? "" : ":\(port)")
  }

  /// Whether a host is this machine itself.
  static func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host == "::1" || host == "[::1]" { return true }
    let octets = host.split(separator: ".", omittingEmptySubsequences: false)
    return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
  }

  private static func refusal(_ name: String, _ reason: String) -> ServiceError {
    ServiceError(.unexpected, "\(name) \(reason).", shouldRetry: false)
  }
}
