import FileSessions
import FoundationEssentials
import LocalService

/// What a call is answered with.
struct Answer: Sendable {
  /// What follows the head.
  enum Body: Sendable {
    case none
    case bytes([UInt8])
    /// A part of a file.
    case file(StoredFile, Range<Int64>)
  }

  var status: Int
  /// In the order in which they are sent; names in lower case.
  var headers: [(name: String, value: String)]
  var body: Body
  /// The refusal that this is, for the log.
  var error: ServiceError?
  /// Announced as `content-length`, where it is not the body's own (`HEAD`).
  var length: Int64?

  init(status: Int, headers: [(name: String, value: String)] = [], body: Body = .none) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// A value as JSON.
  init(status: Int = 200, json value: some Encodable) throws(ServiceError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    do {
      let bytes = [UInt8](try encoder.encode(value))
      self.init(status: status, headers: [("content-type", Self.json)], body: .bytes(bytes))
    } catch {
      throw ServiceError(.internalServerError, "The answer cannot be written as JSON: \(error).")
    }
  }

  /// A text.
  init(text: String, type: String) {
    self.init(status: 200, headers: [("content-type", type)], body: .bytes(Array(text.utf8)))
  }

  static let json = "application/json"

  /// How many bytes the body has.
  var bodyLength: Int64 {
    switch body {
    case .none: 0
    case .bytes(let bytes): Int64(bytes.count)
    case .file(_, let range): range.upperBound - range.lowerBound
    }
  }

  /// Leaves the head as it is and takes the body away, as `HEAD` wants it.
  mutating func dropBody() {
    length = length ?? bodyLength
    body = .none
  }
}

extension Answer {
  /// A refusal: the API's error object, and what tells a client whether and when to ask again.
  init(_ error: ServiceError) {
    let status = error.status ?? (error.kind == .unreachable ? 503 : 500)
    var shown = error
    // What has no place in the API's list of types is the server's own failure to its caller.
    if error.kind.status == nil {
      shown = ServiceError(
        status == 503 ? .serviceUnavailable : .internalServerError, error.message,
        shouldRetry: error.shouldRetry)
    }
    do throws(ServiceError) {
      self = try Answer(status: status, json: ErrorBody(shown))
    } catch _ {
      self.init(status: status)
    }
    self.error = shown
    if let shouldRetry = shown.shouldRetry {
      headers.append(("x-should-retry", shouldRetry ? "true" : "false"))
    }
    if status == 401 { headers.append(("www-authenticate", "Bearer")) }
    if let wait = shown.retryAfter ?? Self.wait(after: shown) {
      // Whole seconds are all that the standard header holds; the other is what the official clients look at first.
      headers.append(("retry-after", String(max(1, Int((wait.inSeconds).rounded(.up))))))
      headers.append(("retry-after-ms", String(max(1, wait.wholeMilliseconds))))
    }
  }

  private static func wait(after error: ServiceError) -> Duration? {
    switch error.kind {
    case .idempotencyConflict, .serviceUnavailable: .seconds(1)
    default: nil
    }
  }
}
