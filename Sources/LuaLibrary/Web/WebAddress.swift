import Digests
import LuaHost

/// An http or https address in the one form in which it is checked and connected to.
///
/// Strict, so that no two readers can disagree about the host: no user, no backslash, no control character, no
/// host but plain names, IPv4 and IPv6 addresses.
package struct WebAddress: Hashable, Sendable, CustomStringConvertible {
  package enum Scheme: String, Sendable {
    case http, https

    var port: Int { self == .http ? 80 : 443 }
  }

  package let scheme: Scheme
  /// In lower case; an IPv6 address without its brackets.
  package let host: String
  package let port: Int
  /// The path and the query, percent-encoded; it begins with a slash.
  package let target: String

  /// An address that is not what was wanted; `problem` says how.
  struct Malformed: Error {
    let problem: String
  }

  private init(scheme: Scheme, host: String, port: Int, target: String) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.target = target
  }

  init(_ text: String) throws(Malformed) {
    guard let colon = text.firstIndex(of: ":") else {
      throw Malformed(problem: "an address begins with http:// or https://")
    }
    guard let scheme = Scheme(rawValue: text[..<colon].lowercased()) else {
      throw Malformed(problem: "only http and https are spoken")
    }
    let rest = text.utf8[text.utf8.index(after: colon)...]
    guard rest.starts(with: "//".utf8) else {
      throw Malformed(problem: "// is missing after \(scheme.rawValue):")
    }
    try self.init(scheme: scheme, afterSlashes: Substring(rest.dropFirst(2)))
  }

  private init(scheme: Scheme, afterSlashes text: Substring) throws(Malformed) {
    let end = text.utf8.firstIndex { "/?#".utf8.contains($0) } ?? text.utf8.endIndex
    let authority = text[..<end]
    guard !authority.utf8.contains(UInt8(ascii: "@")) else {
      throw Malformed(problem: "there is a user name in it; send it in a header")
    }
    var name = authority
    var port = scheme.port
    let bracket = authority.utf8.lastIndex(of: UInt8(ascii: "]"))
    if let colon = authority.utf8.lastIndex(of: UInt8(ascii: ":")), bracket.map({ $0 < colon }) ?? true {
      name = authority[..<colon]
      guard let number = NetItem.port(authority[authority.utf8.index(after: colon)...]) else {
        throw Malformed(problem: "its port is no number from 1 to 65535")
      }
      port = number
    }
    guard let host = NetItem.host(name) else {
      throw Malformed(
        problem: name.isEmpty ? "there is no host in it" : "its host has characters that no host has")
    }
    self.init(scheme: scheme, host: host, port: port, target: try Self.target(text[end...]))
  }

  /// Where a redirect leads, given as an address or relative to this one.
  func following(_ location: String) throws(Malformed) -> WebAddress {
    if location.hasPrefix("//") { return try WebAddress(scheme: scheme, afterSlashes: location.dropFirst(2)) }
    let scheme = location.utf8.prefix { !"/?#:".utf8.contains($0) }
    if scheme.endIndex != location.utf8.endIndex, location.utf8[scheme.endIndex] == UInt8(ascii: ":") {
      return try WebAddress(location)
    }
    let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
    var text: String
    switch location.utf8.first {
    case UInt8(ascii: "/"): text = location
    case UInt8(ascii: "?"): text = String(Substring(path)) + location
    case UInt8(ascii: "#"), nil: text = target
    default:
      let directory = path.lastIndex(of: UInt8(ascii: "/")).map { path[...$0] } ?? path
      text = String(Substring(directory)) + location
    }
    return WebAddress(scheme: self.scheme, host: host, port: port, target: try Self.target(text[...]))
  }

  /// Percent-encodes what has to be; drops the fragment, which is never sent.
  private static func target(_ text: Substring) throws(Malformed) -> String {
    var result = text.utf8.first == UInt8(ascii: "/") ? "" : "/"
    for byte in text.utf8.prefix(while: { $0 != UInt8(ascii: "#") }) {
      switch byte {
      case 0...0x1f, 0x7f: throw Malformed(problem: "there is a control character in it")
      case UInt8(ascii: "\\"): throw Malformed(problem: "there is a backslash in it; write %5C")
      case UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "^"),
        UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), 0x80...:
        result += "%" + [byte].hexadecimal.uppercased()
      default: result.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    return result
  }

  /// The scheme, host and port, in which two addresses of one origin agree.
  package var origin: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return "\(scheme.rawValue)://\(name)" + (port == scheme.port ? "" : ":\(port)")
  }

  package var description: String { origin + target }
}
