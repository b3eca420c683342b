import FoundationEssentials

/// Where a service's API is, written in one way, so that one service has one address.
///
/// Scheme and host in small letters, no default port, no slash at the end: `https://api.lightfield.app`.
struct ServiceAddress: Hashable, Sendable, CustomStringConvertible {
  /// Lightfield itself.
  static let lightfield = ServiceAddress(scheme: "https", place: "api.lightfield.app")

  private let scheme: String
  /// Host, port and path: the name of the profile that an address stands for when it has no other.
  let place: String

  var description: String { scheme + "://" + place }

  private init(scheme: String, place: String) {
    self.scheme = scheme
    self.place = place
  }

  /// Reads a URL as a person wrote it.
  ///
  /// - Parameter origin: where it was written, for the error: `--service`.
  init(_ text: String, from origin: String) throws(CommandFailure) {
    func wrong(_ problem: String) -> CommandFailure {
      CommandFailure(.usage, "\(origin): \(problem). It takes a URL such as \(Self.lightfield).")
    }
    guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
      ["http", "https"].contains(scheme), let host = parts.host?.lowercased(), !host.isEmpty
    else { throw wrong("this is no address of a service") }
    // What is wrong is told without the text: a password may stand in it.
    guard parts.user == nil, parts.password == nil else {
      throw wrong("the address holds a user or a password")
    }
    guard parts.query == nil, parts.fragment == nil else { throw wrong("the address ends in a ? or a #") }
    let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    guard scheme == "https" || Self.isLoopback(bare) else {
      throw wrong("the key would travel unencrypted to \(bare); http is for this machine alone")
    }
    var place = bare.contains(":") ? "[\(bare)]" : bare
    if let port = parts.port, port != (scheme == "https" ? 443 : 80) { place += ":\(port)" }
    var path = parts.percentEncodedPath
    while path.hasSuffix("/") { path.removeLast() }
    self.init(scheme: scheme, place: place + path)
  }

  private static func isLoopback(_ host: String) -> Bool {
    if host == "localhost" || host == "::1" { return true }
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
    return numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
  }
}
