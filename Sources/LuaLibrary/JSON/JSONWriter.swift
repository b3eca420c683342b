import LuaHost

/// Writes a value as JSON: names in the order of their bytes, integers as integers.
package struct JSONWriter {
  private var output: [UInt8] = []
  private let pretty: Bool
  /// Where the value stands: `$.a[2]`.
  private var place: [Step] = []

  private enum Step {
    case field(String)
    case index(Int)
  }

  /// How deep lists and objects may nest.
  package static let deepest = 100

  private init(pretty: Bool) {
    self.pretty = pretty
  }

  /// The value's JSON as UTF-8.
  ///
  /// - Parameter pretty: whether each value stands on a line of its own, indented by two spaces.
  /// - Throws: `LuaValueError` for what JSON cannot say, with the place of the value.
  package static func write(_ value: LuaValue, pretty: Bool = false) throws -> [UInt8] {
    var writer = JSONWriter(pretty: pretty)
    try writer.write(value)
    return writer.output
  }

  private mutating func write(_ value: LuaValue) throws {
    switch value {
    case .nil: append("null")
    case .boolean(let flag): append(flag ? "true" : "false")
    case .integer(let number): append(String(number))
    case .number(let number):
      guard number.isFinite else { throw failure("the number \(number) has no JSON") }
      append(number.description)
    case .string(let string): try write(string)
    case .table(let table): try write(table)
    case JSONMarks.null: append("null")
    case JSONMarks.emptyList: append("[]")
    case .function, .object, .reference: throw failure("a \(value.typeName) has no JSON")
    }
  }

  private mutating func write(_ table: LuaTable) throws {
    guard place.count < Self.deepest else { throw failure("it nests deeper than \(Self.deepest) levels") }
    if table.fields.isEmpty, !table.array.isEmpty {
      try write(list: table.array)
      return
    }
    guard table.array.isEmpty else {
      let name = table.fields.keys.map(\.description).sorted().first ?? ""
      throw failure(
        "a table has both a list and the field '\(name)'",
        hint: table.fields.keys.contains { if case .integer = $0 { true } else { false } }
          ? "a list must have no holes: put json.null into them" : "JSON has either")
    }
    try write(fields: table.fields)
  }

  private mutating func write(list: [LuaValue]) throws {
    append("[")
    for (index, item) in list.enumerated() {
      if index > 0 { append(",") }
      place.append(.index(index + 1))
      newLine()
      try write(item)
      place.removeLast()
    }
    newLine()
    append("]")
  }

  private mutating func write(fields: [LuaKey: LuaValue]) throws {
    if fields.isEmpty {
      append("{}")
      return
    }
    var named: [(key: LuaString, value: LuaValue)] = []
    for (key, value) in fields {
      guard case .string(let name) = key else {
        throw failure("the key \(key) is no string", hint: "a list must begin at 1 and have no holes")
      }
      named.append((name, value))
    }
    named.sort { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
    append("{")
    for (index, field) in named.enumerated() {
      if index > 0 { append(",") }
      place.append(.field(field.key.lossyText))
      newLine()
      try write(field.key)
      append(pretty ? ": " : ":")
      try write(field.value)
      place.removeLast()
    }
    newLine()
    append("}")
  }

  private mutating func write(_ string: LuaString) throws {
    guard string.text != nil else { throw failure("a string is not UTF-8", hint: "JSON is text") }
    output.append(UInt8(ascii: "\""))
    for byte in string.bytes {
      switch byte {
      case UInt8(ascii: "\""): append("\\\"")
      case UInt8(ascii: "\\"): append("\\\\")
      case 0x0a: append("\\n")
      case 0x0d: append("\\r")
      case 0x09: append("\\t")
      case 0..<0x20:
        append("\\u00")
        append(byte < 16 ? "0" : "1")
        append(String(byte & 15, radix: 16))
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }

  private mutating func append(_ text: String) { output.append(contentsOf: text.utf8) }

  private mutating func newLine() {
    guard pretty else { return }
    output.append(0x0a)
    output.append(contentsOf: repeatElement(0x20, count: place.count * 2))
  }

  private func failure(_ problem: String, hint: String? = nil) -> LuaValueError {
    let path = place.reduce("$") { path, step in
      switch step {
      case .field(let name): path + "." + escapingControls(name)
      case .index(let index): path + "[\(index)]"
      }
    }
    return LuaValueError(place: "moontide.json.encode", problem: "\(problem) (at \(path))", hint: hint)
  }
}
