import FileSessions
import FoundationEssentials
import NIOHTTP1

/// What came back for a request, its body included.
struct Answer: Sendable {
  let status: Int
  let headers: HTTPHeaders
  let body: [UInt8]

  var isSuccess: Bool { (200..<300).contains(status) }

  /// The service's id of the request.
  var requestID: String? {
    (headers.first(name: "x-request-id") ?? headers.first(name: "request-id")).map {
      SafeText.line($0, limit: 100)
    }
  }

  /// The service's own word on whether a retry makes sense.
  var shouldRetry: Bool? {
    switch headers.first(name: "x-should-retry")?.lowercased() {
    case "true": true
    case "false": false
    default: nil
    }
  }

  /// Reads the body.
  func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(body))
  }
}
