import Glibc
import LuaHost

/// A server that may be connected to: a host, with one port or with any.
struct NetItem: Hashable, Sendable {
  /// In lower case; an IPv6 address without its brackets.
  let host: String
  /// Nil for every port.
  let port: Int?

  /// The ports of http and https, which a flag does not have to name.
  static let usualPorts: Set<Int> = [80, 443]

  init(host: String, port: Int?) {
    self.host = host
    self.port = port
  }

  /// Reads `host`, `host:port` or `[address]:port`.
  init(_ text: String) throws(PermissionSyntaxError) {
    func wrong(_ why: String) -> PermissionSyntaxError {
      PermissionSyntaxError(
        problem:
          "\"\(escapingControls(text))\" is no host: \(why); write host or host:port, as in hooks.slack.com:443"
      )
    }
    guard !text.utf8.contains(UInt8(ascii: "/")) else { throw wrong("it is an address with a path") }
    var name = Substring(text)
    var number: Substring?
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { throw wrong("the ] is missing") }
      name = text[...end]
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { throw wrong("something follows the ]") }
      number = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = text.firstIndex(of: ":") {
      name = text[..<colon]
      number = text[text.index(after: colon)...]
    }
    guard let host = Self.host(name) else {
      throw wrong("a host has only letters, digits, points and hyphens")
    }
    var port: Int?
    if let number {
      guard let value = Self.port(number) else { throw wrong("a port is a number from 1 to 65535") }
      port = value
    }
    self.init(host: host, port: port)
  }

  /// The form in which it is written.
  var text: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port.map { "\(name):\($0)" } ?? name
  }

  /// Whether this permits a connection.
  func covers(host: String, port: Int) -> Bool {
    self.host == host && (self.port == nil || self.port == port)
  }

  /// The one form of a host that is compared and connected to; nil for anything that could be read in two ways.
  static func host(_ text: some StringProtocol) -> String? {
    let lower = text.lowercased()
    if lower.hasPrefix("[") {
      guard lower.hasSuffix("]") else { return nil }
      return address6(String(lower.dropFirst().dropLast()))
    }
    var name = lower
    if name.hasSuffix(".") { name.removeLast() }
    let isPlain = name.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || isDigit(byte)
        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
    }
    let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard isPlain, name.utf8.count <= 253, labels.allSatisfy({ (1...63).contains($0.count) }) else {
      return nil
    }
    return name
  }

  /// An IPv6 address in the form in which the system writes it.
  private static func address6(_ text: String) -> String? {
    var address = in6_addr()
    guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count)) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  static func port(_ text: some StringProtocol) -> Int? {
    let digits = text.utf8
    guard (1...5).contains(digits.count),
      digits.allSatisfy(isDigit), let value = Int(text), (1...65535).contains(value)
    else { return nil }
    return value
  }
}

func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
