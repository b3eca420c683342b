import FileSessions
import FoundationEssentials

/// Which hosts are reached through a proxy.
///
/// Only `https` goes through one: the client speaks plain `http` to this machine alone. The proxy itself is
/// spoken to in plain HTTP (`CONNECT`), as is usual; what passes through it is encrypted all the way.
package struct ProxySettings: Hashable, Sendable {
  /// A proxy, with the credentials that its URL had.
  package struct Proxy: Hashable, Sendable {
    package var host: String
    package var port: Int
    var user: String?
    var password: String?
  }

  package var proxy: Proxy?
  /// Hosts, and domains with all below them, that are reached directly.
  private var exceptions: [String] = []

  /// No proxy.
  package static let none = ProxySettings()

  private init() {}

  /// Reads `HTTPS_PROXY` (or `https_proxy`) and `NO_PROXY` (or `no_proxy`).
  package init(environment: [String: String]) throws(ServiceError) {
    let value = { (name: String) in
      [name.lowercased(), name].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    }
    guard let text = value("HTTPS_PROXY") else { return }
    let whole = text.contains("://") ? text : "http://" + text
    guard let url = URLComponents(string: whole), let host = url.host, !host.isEmpty, url.scheme == "http"
    else {
      throw .invalid(
        "HTTPS_PROXY", code: .invalidValue, "HTTPS_PROXY has to be of the form http://HOST:PORT.")
    }
    proxy = Proxy(host: host, port: url.port ?? 80, user: url.user, password: url.password)
    exceptions = (value("NO_PROXY") ?? "").lowercased().split(separator: ",").map { item in
      let name = item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
      return String(String(name).drop { $0 == "*" || $0 == "." })
    }
    if (value("NO_PROXY") ?? "").split(separator: ",").contains(where: { $0.allSatisfy { " *".contains($0) } }
    ) {
      proxy = nil
    }
    exceptions.removeAll(where: \.isEmpty)
  }

  /// Whether a host is reached through the proxy. This machine itself never is.
  package func applies(to host: String) -> Bool {
    guard proxy != nil, !ServiceURL.isLoopback(host) else { return false }
    let host = host.lowercased()
    return !exceptions.contains { host == $0 || host.hasSuffix("." + $0) }
  }
}

extension ProxySettings.Proxy: CustomStringConvertible {
  /// Host and port, without the credentials.
  package var description: String { "\(host):\(port)" }
}
