import FileSessions
import FoundationEssentials
import NIOHTTP1

/// A call of the API as it is sent, without what all calls have in common.
struct APIRequest: Sendable {
  enum Body: Sendable {
    case none
    /// No bytes, announced as JSON: what the official clients send where a body is optional and there is none.
    case empty
    case json([UInt8])
  }

  var method = HTTPMethod.GET
  /// Below the base URL, percent-encoded.
  let path: String
  var query: [(name: String, value: Int)] = []
  var body = Body.none
  /// Which of the service's limits it counts against.
  let category: RateCategory
  /// What the key must be allowed, nil where any key will do.
  let scope: String?
  /// Under which a repeat of the request is known as one.
  var idempotencyKey: String?

  /// Method and path, for logs and errors.
  var name: String { "\(method.rawValue) \(path)" }

  /// The path with its query.
  var target: String {
    guard !query.isEmpty else { return path }
    return path + "?" + query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
  }
}

extension APIRequest.Body {
  /// The value as JSON, with its keys in order: a repeat of a request is the same to the byte.
  init(_ value: some Encodable) throws(ServiceError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      self = .json(Array(try encoder.encode(value)))
    } catch {
      throw ServiceError(.badRequest, "The request cannot be written as JSON: \(error).")
    }
  }
}

extension String {
  /// An id as one segment of a path.
  ///
  /// Any text is taken, as it is the service that knows its ids; what would lead to another path is not.
  var pathSegment: String {
    get throws(ServiceError) {
      guard !isEmpty else { throw .invalid("id", code: .parameterMissing, "The id is empty.") }
      guard self != ".", self != ".." else {
        throw .invalid("id", code: .invalidValue, "\"\(self)\" is no id.")
      }
      var segment = ""
      for byte in utf8 {
        let character = Character(Unicode.Scalar(byte))
        let isPlain =
          character.isASCII && (character.isLetter || character.isNumber || "-._~".contains(character))
        if isPlain {
          segment.append(character)
        } else {
          let digits = String(byte, radix: 16, uppercase: true)
          segment += "%" + (digits.count == 1 ? "0" : "") + digits
        }
      }
      return segment
    }
  }
}
