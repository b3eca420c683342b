/// A copy of a Lua table.
package struct LuaTable: Sendable, Equatable {
  /// The values at 1, 2, 3 and so on up to the first hole.
  ///
  /// One that is given to Lua may have holes in it (`.nil`).
  package var array: [LuaValue]

  /// Everything else.
  package var fields: [LuaKey: LuaValue]

  package init(array: [LuaValue] = [], fields: [LuaKey: LuaValue] = [:]) {
    self.array = array
    self.fields = fields
  }

  /// The value at a name; nil when there is none. Setting nil or `.nil` removes it.
  package subscript(name: String) -> LuaValue? {
    get { fields[.string(LuaString(name))] }
    set { fields[.string(LuaString(name))] = newValue == .nil ? nil : newValue }
  }

  /// Whether there is nothing in it.
  package var isEmpty: Bool { array.isEmpty && fields.isEmpty }

  /// The keys that are text, sorted.
  package var names: [String] {
    fields.keys.compactMap { key in
      guard case .string(let string) = key else { return nil }
      return string.text
    }.sorted()
  }
}

/// A key of a Lua table that can leave its script.
///
/// A table, function or object as a key has only its identity, which a copy would lose: converting
/// such a table is an error.
package enum LuaKey: Sendable, Hashable {
  case boolean(Bool)
  case integer(Int64)
  /// A float that is no integer; Lua itself turns `1.0` into `1`.
  case number(Double)
  case string(LuaString)
}

extension LuaKey: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) { self = .string(LuaString(value)) }
}

extension LuaKey: CustomStringConvertible {
  /// The key as a message shows it.
  package var description: String {
    switch self {
    case .boolean(let value): "[\(value)]"
    case .integer(let value): "[\(value)]"
    case .number(let value): "[\(value)]"
    case .string(let string): escapingControls(string.lossyText)
    }
  }
}
