/// Finds where a text stops being JSON, which the system's decoder does not tell on this platform.
struct JSONSyntax {
  private struct Stop: Error {}

  private let bytes: [UInt8]
  private var position = 0

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The line and column, both from 1, of the first byte that cannot be there; nil when all is JSON.
  static func fault(in bytes: [UInt8]) -> (line: Int, column: Int)? {
    var scanner = JSONSyntax(bytes)
    do {
      try scanner.value(depth: 0)
      scanner.space()
      if scanner.position == bytes.count { return nil }
    } catch {}
    let before = bytes[..<scanner.position]
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    return (line, String(decoding: before[lineStart...], as: UTF8.self).count + 1)
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func space() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func demand(_ character: Unicode.Scalar) throws(Stop) {
    guard take(character) else { throw Stop() }
  }

  private mutating func value(depth: Int) throws(Stop) {
    // A policy is three levels deep; a text that only nests is not read to the end of the stack.
    guard depth < 100 else { throw Stop() }
    space()
    if take("{") {
      try members(until: "}") { scanner throws(Stop) in
        scanner.space()
        try scanner.demand("\"")
        try scanner.string()
        scanner.space()
        try scanner.demand(":")
        try scanner.value(depth: depth + 1)
      }
    } else if take("[") {
      try members(until: "]") { scanner throws(Stop) in try scanner.value(depth: depth + 1) }
    } else if take("\"") {
      try string()
    } else {
      try word()
    }
  }

  private mutating func members(
    until end: Unicode.Scalar, _ member: (inout JSONSyntax) throws(Stop) -> Void
  ) throws(Stop) {
    space()
    if take(end) { return }
    repeat {
      try member(&self)
      space()
    } while take(",")
    try demand(end)
  }

  /// What follows the opening quote.
  private mutating func string() throws(Stop) {
    while !take("\"") {
      guard let byte = next, byte >= 0x20 else { throw Stop() }
      position += 1
      if byte == UInt8(ascii: "\\") {
        guard let escaped = next, "\"\\/bfnrtu".utf8.contains(escaped) else { throw Stop() }
        position += 1
      }
    }
  }

  /// A number, `true`, `false` or `null`.
  private mutating func word() throws(Stop) {
    let start = position
    while let byte = next, "+-.0123456789abcdefghijklmnopqrstuvwxyzE".utf8.contains(byte) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard ["true", "false", "null"].contains(text) || Double(text) != nil else {
      position = start
      throw Stop()
    }
  }
}
