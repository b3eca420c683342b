import FileSessions
import FoundationEssentials

/// An object of a request's JSON, read field by field: whatever is wrong becomes a 400 that names the place.
struct JSONFields {
  private var fields: [String: JSONValue]
  /// Where the object stands, as `param` writes it; empty for the body itself.
  private let place: String

  /// Reads a body.
  init(body: [UInt8]) throws(ServiceError) {
    let value: JSONValue
    do {
      value = try JSONDecoder().decode(JSONValue.self, from: Data(body))
    } catch {
      throw ServiceError(.badRequest, "The body is not JSON.", code: "invalid_json", param: "body")
    }
    guard case .object(let fields) = value else {
      throw .invalid("body", code: .invalidType, "The body is \(value.kind); it takes an object.")
    }
    self.init(fields, at: "")
  }

  private init(_ fields: [String: JSONValue], at place: String) {
    self.fields = fields
    self.place = place
  }

  private func path(_ name: String) -> String {
    place.isEmpty ? name : "\(place).\(name)"
  }

  /// Whether the field is there.
  func has(_ name: String) -> Bool { fields[name] != nil }

  /// Throws a 400 when there is a field beside these.
  func allowOnly(_ names: String...) throws(ServiceError) {
    guard let unknown = fields.keys.sorted().first(where: { !names.contains($0) }) else { return }
    let allowed = names.isEmpty ? "none" : names.joined(separator: ", ")
    throw .invalid(
      path(unknown), code: .unknownField,
      "The field \(path(unknown)) is unknown; \(place.isEmpty ? "the body" : place) takes \(allowed).")
  }

  /// The text of a field that must be there.
  func requiredString(_ name: String) throws(ServiceError) -> String {
    guard let text = try string(name) else { throw missing(name) }
    return text
  }

  /// The text of a field that may be absent, and may be null where `orNull`.
  func string(_ name: String, orNull: Bool = false) throws(ServiceError) -> String? {
    switch fields[name] {
    case nil: return nil
    case .null? where orNull: return nil
    case .string(let text)?: return text
    case let other?: throw wrongType(name, other, "a string")
    }
  }

  /// A whole number that must be there. One too large for 64 bits is the largest: no limit lies that high.
  func requiredInteger(_ name: String) throws(ServiceError) -> Int64 {
    switch fields[name] {
    case nil: throw missing(name)
    case .integer(let number)?: return number
    case .number(let number)? where number == number.rounded():
      return number > 0 ? .max : .min
    case let other?: throw wrongType(name, other, "a whole number")
    }
  }

  /// A truth value that may be absent.
  func bool(_ name: String) throws(ServiceError) -> Bool? {
    switch fields[name] {
    case nil: return nil
    case .bool(let value)?: return value
    case let other?: throw wrongType(name, other, "true or false")
    }
  }

  /// The texts of an array that may be absent.
  func strings(_ name: String) throws(ServiceError) -> [String]? {
    guard let value = fields[name] else { return nil }
    guard case .array(let items) = value else { throw wrongType(name, value, "an array of strings") }
    var texts: [String] = []
    for (index, item) in items.enumerated() {
      guard case .string(let text) = item else { throw wrongType("\(name)[\(index)]", item, "a string") }
      texts.append(text)
    }
    return texts
  }

  /// An object inside; throws a 400 when it is absent.
  func requiredObject(_ name: String) throws(ServiceError) -> JSONFields {
    guard let object = try object(name) else { throw missing(name) }
    return object
  }

  /// An object inside that may be absent.
  func object(_ name: String) throws(ServiceError) -> JSONFields? {
    guard let value = fields[name] else { return nil }
    guard case .object(let inner) = value else { throw wrongType(name, value, "an object") }
    return JSONFields(inner, at: path(name))
  }

  /// The 400 for a value of the right type that is not allowed.
  func invalid(_ name: String, _ message: String) -> ServiceError {
    .invalid(path(name), code: .invalidValue, message)
  }

  /// The 400 for a field that must be there and is not.
  func missing(_ name: String) -> ServiceError {
    .invalid(path(name), code: .parameterMissing, "The field \(path(name)) is missing.")
  }

  /// The 400 for a value of another type.
  func wrongType(_ name: String, _ value: JSONValue, _ wanted: String) -> ServiceError {
    .invalid(
      path(name), code: .invalidType, "The field \(path(name)) is \(value.kind); it takes \(wanted).")
  }

  /// The field as it stands.
  subscript(name: String) -> JSONValue? { fields[name] }
}

extension JSONValue {
  /// What it is, for a sentence.
  fileprivate var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a truth value"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
