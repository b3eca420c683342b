/// The named fields of a table, with accessors whose errors name the field.
///
/// For arguments such as `{ filename =, mime_type = }`, and for what a script returns as a whole.
package struct LuaFields: Sendable {
  /// The table.
  package let table: LuaTable
  /// What messages call the table.
  package let place: String

  package init(_ table: LuaTable, place: String) {
    self.table = table
    self.place = place
  }

  /// The value of a field, or nil.
  package subscript(name: String) -> LuaValue? { table[name] }

  /// Refuses names that are not known, and suggests the one that was meant.
  ///
  /// - Parameter allowsList: Whether values without a name are fine.
  package func onlyKnown(_ known: some Collection<String>, allowsList: Bool = false) throws {
    for key in table.fields.keys.sorted(by: { $0.description < $1.description }) {
      if case .string(let string) = key, let name = string.text {
        if known.contains(name) { continue }
        let nearest = nearestName(to: name, in: known)
        throw LuaValueError(
          place: place, problem: "unknown field '\(key)'",
          hint: nearest.map { "did you mean '\($0)'?" }
            ?? "known are \(known.sorted().joined(separator: ", "))")
      }
      if case .integer = key, allowsList { continue }
      throw LuaValueError(place: place, problem: "unknown field '\(key)'")
    }
    if !allowsList, !table.array.isEmpty {
      throw LuaValueError(place: place, problem: "a value without a name", hint: "write name = value")
    }
  }

  /// The error for a field that is not what was wanted.
  package func error(_ name: String, wanted: String) -> LuaValueError {
    LuaValueError(place: "\(place): field '\(name)'", wanted: wanted, got: (self[name] ?? .nil).summary)
  }

  /// UTF-8 text, or nil where the field is absent.
  package func optionalString(_ name: String) throws -> String? {
    guard let value = self[name] else { return nil }
    guard let text = value.text else { throw error(name, wanted: "string") }
    return text
  }

  /// UTF-8 text.
  package func string(_ name: String) throws -> String {
    guard let text = try optionalString(name) else { throw error(name, wanted: "string") }
    return text
  }

  /// An integer within bounds, or nil where the field is absent.
  package func optionalInt(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let value = self[name] else { return nil }
    guard let integer = value.integer, range.contains(Int(integer)) else {
      throw error(
        name,
        wanted: range.upperBound == .max
          ? "integer of at least \(range.lowerBound)"
          : "integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return Int(integer)
  }

  /// A finite number, or nil where the field is absent.
  package func optionalNumber(_ name: String) throws -> Double? {
    guard let value = self[name] else { return nil }
    guard let number = value.number, number.isFinite else { throw error(name, wanted: "finite number") }
    return number
  }

  /// A boolean, or nil where the field is absent.
  package func optionalBoolean(_ name: String) throws -> Bool? {
    guard let value = self[name] else { return nil }
    guard let boolean = value.boolean else { throw error(name, wanted: "boolean") }
    return boolean
  }

  /// A function, or nil where the field is absent.
  package func optionalFunction(_ name: String) throws -> LuaFunction? {
    guard let value = self[name] else { return nil }
    guard let function = value.function else { throw error(name, wanted: "function") }
    return function
  }

  /// A list of texts, or nil where the field is absent; a single text is a list of one.
  package func optionalStrings(_ name: String) throws -> [String]? {
    guard let value = self[name] else { return nil }
    if let text = value.text { return [text] }
    guard let table = value.table, table.fields.isEmpty else { throw error(name, wanted: "list of strings") }
    return try table.array.enumerated().map { index, item in
      guard let text = item.text else {
        throw LuaValueError(
          place: "\(place): field '\(name)[\(index + 1)]'", wanted: "string", got: item.summary)
      }
      return text
    }
  }

  /// The named fields of a table, or nil where the field is absent.
  package func optionalFields(_ name: String) throws -> LuaFields? {
    guard let value = self[name] else { return nil }
    guard let table = value.table else { throw error(name, wanted: "table") }
    return LuaFields(table, place: "\(place): field '\(name)'")
  }
}
