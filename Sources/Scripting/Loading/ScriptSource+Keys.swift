extension ScriptSource {
  /// Where a key of a table is set.
  struct KeyPlace: Hashable, Sendable {
    /// Counted from 1.
    var line: Int
    /// Characters before it on that line.
    var column: Int
    /// The line.
    var text: String
  }

  /// Where `key =` stands: in an outermost table if possible, else in any, else anywhere.
  ///
  /// Looks at the words of the source only, which is enough to show a person the line; strings and comments
  /// are passed over.
  func place(ofKey key: String) -> KeyPlace? {
    var words = KeyScanner(bytes)
    var best: (rank: Int, position: Int)?
    while let found = words.next() {
      guard found.isSet, found.name == key else { continue }
      let rank = found.depth == 1 ? 0 : found.depth > 1 ? 1 : 2
      if best.map({ rank < $0.rank }) ?? true { best = (rank, found.position) }
    }
    guard let position = best?.position else { return nil }
    let before = bytes[..<position]
    let number = before.count { $0 == 0x0a } + 1
    let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let indent = String(decoding: before[start...], as: UTF8.self).replacing("\t", with: "  ")
    return KeyPlace(line: number, column: indent.count, text: line(number))
  }
}

/// The words of a Lua source, with how many braces are open around them.
private struct KeyScanner {
  struct Word {
    var name: String
    var position: Int
    var depth: Int
    /// Whether `=` follows.
    var isSet: Bool
  }

  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  mutating func next() -> Word? {
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "-") where at(position + 1) == UInt8(ascii: "-"):
        position += 2
        if !skipLongBracket() { skipLine() }
      case UInt8(ascii: "["):
        if !skipLongBracket() { position += 1 }
      case UInt8(ascii: "\""), UInt8(ascii: "'"): skipString(byte)
      case UInt8(ascii: "{"):
        depth += 1
        position += 1
      case UInt8(ascii: "}"):
        depth -= 1
        position += 1
      case _ where Self.isWord(byte): return word()
      default: position += 1
      }
    }
    return nil
  }

  private func at(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private mutating func word() -> Word {
    let start = position
    while let byte = at(position), Self.isWord(byte) { position += 1 }
    var after = position
    while let byte = at(after), byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { after += 1 }
    let equals = UInt8(ascii: "=")
    return Word(
      name: String(decoding: bytes[start..<position], as: UTF8.self), position: start, depth: depth,
      isSet: at(after) == equals && at(after + 1) != equals)
  }

  private mutating func skipLine() {
    while let byte = at(position), byte != 0x0a { position += 1 }
  }

  private mutating func skipString(_ quote: UInt8) {
    position += 1
    while let byte = at(position), byte != quote, byte != 0x0a {
      position += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    position += 1
  }

  /// Passes over `[[…]]` and `[=[…]=]`; false when none begins here.
  private mutating func skipLongBracket() -> Bool {
    guard at(position) == UInt8(ascii: "[") else { return false }
    var level = 0
    while at(position + 1 + level) == UInt8(ascii: "=") { level += 1 }
    guard at(position + 1 + level) == UInt8(ascii: "[") else { return false }
    position += level + 2
    let end = [UInt8(ascii: "]")] + Array(repeating: UInt8(ascii: "="), count: level) + [UInt8(ascii: "]")]
    while position < bytes.count, !bytes[position...].starts(with: end) { position += 1 }
    position = min(position + end.count, bytes.count)
    return true
  }
}
