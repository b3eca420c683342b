import LuaHost

/// Reads JSON (RFC 8259) without loss: integers of 64 bits stay integers.
package struct JSONReader {
  /// What becomes of integers that need more than 64 bits.
  package enum BigIntegers: String, CaseIterable, Sendable {
    /// They are an error.
    case error
    /// They become floats, rounded.
    case float
    /// They become strings of their digits.
    case string
  }

  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0
  private let bigIntegers: BigIntegers
  /// Whether an empty list was met.
  private var hasEmptyList = false

  /// How deep lists and objects may nest.
  package static let deepest = 99

  private init(_ bytes: [UInt8], bigIntegers: BigIntegers) {
    self.bytes = bytes
    self.bigIntegers = bigIntegers
  }

  /// Reads one value and nothing after it.
  ///
  /// - Returns: the value, `null` and empty lists as ``JSONMarks``, and whether there was an empty list.
  /// - Throws: `LuaValueError` with the line and the column of the mistake.
  package static func read(
    _ bytes: [UInt8], bigIntegers: BigIntegers = .error
  ) throws -> (value: LuaValue, hasEmptyList: Bool) {
    var reader = JSONReader(bytes, bigIntegers: bigIntegers)
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { reader.position = 3 }
    let value = try reader.value()
    reader.skipSpace()
    guard reader.position == bytes.count else { throw reader.failure("there is more after the value") }
    return (value, reader.hasEmptyList)
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func value() throws -> LuaValue {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return .table(try object())
    case UInt8(ascii: "["): return try list()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-")?, (UInt8(ascii: "0")...UInt8(ascii: "9"))?: return try number()
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", JSONMarks.null)
    case nil: throw failure("the text ends where a value should be")
    case UInt8(ascii: "'"):
      throw failure("a value wanted, found '", hint: "JSON's strings have double quotes")
    default: throw failure("a value wanted, found \(found)")
    }
  }

  private mutating func word(_ word: String, _ value: LuaValue) throws -> LuaValue {
    guard bytes[position...].starts(with: word.utf8) else { throw failure("a value wanted, found \(found)") }
    position += word.utf8.count
    return value
  }

  private mutating func enter() throws {
    depth += 1
    guard depth <= Self.deepest else { throw failure("it nests deeper than \(Self.deepest) levels") }
    position += 1
    skipSpace()
  }

  private mutating func object() throws -> LuaTable {
    try enter()
    var table = LuaTable()
    if !take(UInt8(ascii: "}")) {
      repeat {
        skipSpace()
        guard next == UInt8(ascii: "\"") else {
          throw failure("a name in double quotes wanted, found \(found)")
        }
        let name = try string()
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw failure("a colon wanted after the name, found \(found)") }
        table.fields[.string(name)] = try value()
        skipSpace()
      } while take(UInt8(ascii: ","))
      guard take(UInt8(ascii: "}")) else { throw failure("a comma or } wanted, found \(found)") }
    }
    depth -= 1
    return table
  }

  private mutating func list() throws -> LuaValue {
    try enter()
    var items: [LuaValue] = []
    if !take(UInt8(ascii: "]")) {
      repeat {
        items.append(try value())
        skipSpace()
      } while take(UInt8(ascii: ","))
      guard take(UInt8(ascii: "]")) else { throw failure("a comma or ] wanted, found \(found)") }
    }
    depth -= 1
    if items.isEmpty {
      hasEmptyList = true
      return JSONMarks.emptyList
    }
    return .list(items)
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    return position - start
  }

  private mutating func number() throws -> LuaValue {
    let start = position
    _ = take(UInt8(ascii: "-"))
    let first = next
    let whole = digits()
    guard whole > 0 else { throw failure("a digit wanted, found \(found)") }
    if whole > 1, first == UInt8(ascii: "0") {
      position = start
      throw failure("a number begins with 0")
    }
    var isInteger = true
    if take(UInt8(ascii: ".")) {
      isInteger = false
      guard digits() > 0 else { throw failure("a digit wanted after the point, found \(found)") }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard digits() > 0 else { throw failure("a digit wanted in the exponent, found \(found)") }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger {
      if let integer = Int64(text) { return text == "-0" ? .number(-0.0) : .integer(integer) }
      switch bigIntegers {
      case .error:
        position = start
        throw failure(
          "an integer needs more than 64 bits",
          hint: "decode with { big = \"float\" } or { big = \"string\" }")
      case .float: break
      case .string: return .string(text)
      }
    }
    guard let number = Double(text), number.isFinite else {
      position = start
      throw failure("a number is too large")
    }
    return .number(number)
  }

  private mutating func string() throws -> LuaString {
    let start = position
    position += 1
    var text: [UInt8] = []
    while true {
      let run = position
      while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
        position += 1
      }
      text.append(contentsOf: bytes[run..<position])
      switch next {
      case UInt8(ascii: "\""):
        position += 1
        let string = LuaString(bytes: text)
        guard string.text != nil else {
          position = start
          throw failure("a string is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): try escape(into: &text)
      case nil:
        position = start
        throw failure("a string is not closed")
      default:
        throw failure("a control character in a string", hint: "it has to be written as an escape: \\n")
      }
    }
  }

  private mutating func escape(into text: inout [UInt8]) throws {
    let start = position
    position += 1
    let plain: [UInt8: UInt8] = [
      UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5c, UInt8(ascii: "/"): 0x2f, UInt8(ascii: "b"): 0x08,
      UInt8(ascii: "f"): 0x0c, UInt8(ascii: "n"): 0x0a, UInt8(ascii: "r"): 0x0d, UInt8(ascii: "t"): 0x09,
    ]
    if let byte = next, let meant = plain[byte] {
      position += 1
      text.append(meant)
      return
    }
    guard take(UInt8(ascii: "u")), let unit = hexUnit() else {
      position = start
      throw failure("an escape that JSON does not know")
    }
    var code = UInt32(unit)
    if UTF16.isLeadSurrogate(unit), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), let trail = hexUnit(),
      UTF16.isTrailSurrogate(trail)
    {
      code = 0x10000 + (UInt32(unit & 0x3ff) << 10 | UInt32(trail & 0x3ff))
    }
    guard let scalar = Unicode.Scalar(code) else {
      position = start
      throw failure("half of a surrogate pair")
    }
    text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
  }

  private mutating func hexUnit() -> UInt16? {
    guard position + 4 <= bytes.count,
      bytes[position..<position + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { return nil }
    position += 4
    return unit
  }

  /// The character at the position, for a message.
  private var found: String {
    guard position < bytes.count else { return "the end" }
    let text = String(decoding: bytes[position..<min(position + 8, bytes.count)], as: UTF8.self)
    return text.first.map { "'" + escapingControls(String($0)) + "'" } ?? "the end"
  }

  private func failure(_ problem: String, hint: String? = nil) -> LuaValueError {
    let before = bytes[..<min(position, bytes.count)]
    let line = before.count { $0 == 0x0a } + 1
    let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let column = String(decoding: before[start...], as: UTF8.self).unicodeScalars.count + 1
    return LuaValueError(
      place: "moontide.json.decode", problem: "line \(line), column \(column): \(problem)", hint: hint)
  }
}
