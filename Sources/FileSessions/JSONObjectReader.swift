import FoundationEssentials

/// Reads an object of a request strictly: whatever does not fit is a 400 that names its place.
///
/// What is missing is `parameter_missing`, what is of another type `invalid_type`, what the API does not know
/// `unknown_field`. Places are dotted: `fields.$title`.
package struct JSONObjectReader: Sendable {
  private let members: [String: JSONValue]
  private let path: String?

  /// Reads a request's body, which must be one JSON object.
  ///
  /// - Parameter isOptional: whether no body at all counts as an empty object.
  package init(body: [UInt8], isOptional: Bool = false) throws(ServiceError) {
    if body.isEmpty && isOptional {
      try self.init(.object([:]))
      return
    }
    let value: JSONValue
    do {
      value = try JSONDecoder().decode(JSONValue.self, from: Data(body))
    } catch {
      throw .invalid("body", code: .invalidJSON, "The body is not JSON. Send one JSON object.")
    }
    try self.init(value)
  }

  /// Reads a value that must be an object.
  ///
  /// - Parameter path: where it stands, nil for the body itself.
  package init(_ value: JSONValue, at path: String? = nil) throws(ServiceError) {
    guard case .object(let members) = value else {
      throw .invalid(
        path ?? "body", code: .invalidType,
        "\(path ?? "The body") is \(value.typeName); it must be an object.")
    }
    self.members = members
    self.path = path
  }

  /// The place of a member, for an error about it.
  package func place(_ name: String) -> String {
    path.map { "\($0).\(name)" } ?? name
  }

  /// Throws when the object has a member that is not one of `names`.
  package func allow(_ names: String...) throws(ServiceError) {
    // The first in order, so that the same body always gets the same answer.
    guard let unknown = members.keys.filter({ !names.contains($0) }).min() else { return }
    let known = names.isEmpty ? "This object takes none." : "Known: \(names.joined(separator: ", "))."
    throw .invalid(place(unknown), code: .unknownField, "There is no field \(place(unknown)). \(known)")
  }

  /// Throws when the object lacks a member.
  package func demand(_ name: String) throws(ServiceError) {
    _ = try required(name, members[name])
  }

  /// A text that must be there.
  package func string(_ name: String) throws(ServiceError) -> String {
    try required(name, stringIfPresent(name))
  }

  /// A text that may be left out.
  ///
  /// - Parameter orNull: whether `null` is allowed, and the same as nothing.
  package func stringIfPresent(_ name: String, orNull: Bool = false) throws(ServiceError) -> String? {
    switch members[name] {
    case nil: return nil
    case .string(let text): return text
    case .null where orNull: return nil
    case .some(let value): throw mismatch(name, value, "a string")
    }
  }

  /// A whole number that must be there. `29.0` is one, as in JSON Schema.
  package func integer(_ name: String) throws(ServiceError) -> Int64 {
    let value = try required(name, members[name])
    if case .integer(let number) = value { return number }
    if case .number(let number) = value, let whole = Int64(exactly: number) { return whole }
    throw mismatch(name, value, "a whole number")
  }

  /// A truth value that may be left out.
  package func boolIfPresent(_ name: String) throws(ServiceError) -> Bool? {
    switch members[name] {
    case nil: return nil
    case .bool(let value): return value
    case .some(let value): throw mismatch(name, value, "true or false")
    }
  }

  /// A list of texts that may be left out.
  package func stringsIfPresent(_ name: String) throws(ServiceError) -> [String]? {
    guard let value = members[name] else { return nil }
    guard case .array(let values) = value else { throw mismatch(name, value, "a list of strings") }
    var texts: [String] = []
    for (index, value) in values.enumerated() {
      guard case .string(let text) = value else { throw mismatch("\(name)[\(index)]", value, "a string") }
      texts.append(text)
    }
    return texts
  }

  /// An object that must be there.
  package func object(_ name: String) throws(ServiceError) -> JSONObjectReader {
    try required(name, objectIfPresent(name))
  }

  /// An object that may be left out.
  package func objectIfPresent(_ name: String) throws(ServiceError) -> JSONObjectReader? {
    guard let value = members[name] else { return nil }
    return try JSONObjectReader(value, at: place(name))
  }

  /// The value of a member as it came, nil when it is not there.
  package subscript(name: String) -> JSONValue? { members[name] }

  private func required<Value>(_ name: String, _ value: Value?) throws(ServiceError) -> Value {
    guard let value else {
      throw .invalid(place(name), code: .parameterMissing, "\(place(name)) is missing.")
    }
    return value
  }

  private func mismatch(_ name: String, _ value: JSONValue, _ wanted: String) -> ServiceError {
    .invalid(
      place(name), code: .invalidType, "\(place(name)) is \(value.typeName); it must be \(wanted).")
  }
}

extension JSONValue {
  /// What kind of value it is, for a message.
  fileprivate var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "a truth value"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}
