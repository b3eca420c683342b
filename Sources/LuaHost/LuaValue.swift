/// A Lua value outside of its script.
///
/// Convenient rather than fast: hosts that pass many values use `LuaCall` and `LuaArguments`
/// directly. Nothing is lost in either direction. Integers and floats stay apart, strings are
/// bytes, and a table keeps its list and its keys.
package enum LuaValue: Sendable, Equatable {
  /// `nil`, and what a hole in a list is.
  case `nil`
  case boolean(Bool)
  /// A number of the subtype integer.
  case integer(Int64)
  /// A number of the subtype float.
  case number(Double)
  case string(LuaString)
  /// A copy of a table without its metatable.
  case table(LuaTable)
  /// A function that stays in its script.
  case function(LuaFunction)
  /// A Swift value that scripts hold: one with a type of its own, or an opaque one.
  case object(LuaObject)
  /// Any other value that stays in its script, such as a coroutine.
  case reference(LuaReference)
}

extension LuaValue {
  /// A string of UTF-8.
  package static func string(_ text: String) -> LuaValue { .string(LuaString(text)) }

  /// A string of any bytes.
  package static func bytes(_ bytes: [UInt8]) -> LuaValue { .string(LuaString(bytes: bytes)) }

  /// An integer.
  package static func int(_ value: Int) -> LuaValue { .integer(Int64(value)) }

  /// A list.
  package static func list(_ values: [LuaValue]) -> LuaValue { .table(LuaTable(array: values)) }

  /// A table with names as keys.
  package static func fields(_ fields: [String: LuaValue]) -> LuaValue {
    var table = LuaTable()
    for (name, value) in fields { table[name] = value }
    return .table(table)
  }

  /// An opaque host value: scripts can pass it on and give it back, and see nothing of it.
  package static func opaque(_ value: any Sendable, name: String = "value") -> LuaValue {
    .object(LuaObject(opaque: value, name: name))
  }
}

extension LuaValue {
  /// Whether this is nil.
  package var isNil: Bool { self == .nil }

  /// The text of a string that is valid UTF-8.
  package var text: String? {
    guard case .string(let string) = self else { return nil }
    return string.text
  }

  /// The value of a boolean.
  package var boolean: Bool? {
    guard case .boolean(let value) = self else { return nil }
    return value
  }

  /// The value of an integer, or of a float without a fraction that fits.
  package var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int64(exactly: value)
    default: nil
    }
  }

  /// The value of a number of either subtype.
  package var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// The table.
  package var table: LuaTable? {
    guard case .table(let table) = self else { return nil }
    return table
  }

  /// The function.
  package var function: LuaFunction? {
    guard case .function(let function) = self else { return nil }
    return function
  }

  /// The Swift value that a host object holds, if it has that type.
  package func object<Value: Sendable>(as type: Value.Type = Value.self) -> Value? {
    guard case .object(let object) = self else { return nil }
    return object.value as? Value
  }

  /// Lua's name of the type.
  package var typeName: String {
    switch self {
    case .nil: "nil"
    case .boolean: "boolean"
    case .integer, .number: "number"
    case .string: "string"
    case .table: "table"
    case .function: "function"
    case .object(let object): object.typeName
    case .reference(let reference): reference.typeName
    }
  }

  /// The value in a message: its type, and what it is when that is short.
  package var summary: String {
    switch self {
    case .nil: "nil"
    case .boolean(let value): "boolean \(value)"
    case .integer(let value): "number \(value)"
    case .number(let value): "number \(value)"
    case .string(let string): "string \(quoted(string.bytes))"
    default: typeName
    }
  }
}

extension LuaValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int64) { self = .integer(value) }
  package init(floatLiteral value: Double) { self = .number(value) }
  package init(booleanLiteral value: Bool) { self = .boolean(value) }
  package init(nilLiteral: ()) { self = .nil }
}
