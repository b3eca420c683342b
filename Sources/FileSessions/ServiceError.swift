/// Why a call of the file API failed, in the API's own terms.
///
/// The same value whether the error came over HTTP or from the local service. `type`, `code` and `param` are
/// the fields of the API's error object.
package struct ServiceError: Error, Hashable, Sendable {
  /// The API's error types, the answers of the storage behind an upload URL, and the failures of the way there.
  package enum Kind: String, CaseIterable, Sendable, Codable {
    /// 400: the request is wrong; `code` says how and `param` where.
    case badRequest = "bad_request"
    /// 401: no valid key.
    case unauthorized
    /// 403: the key lacks a scope, or the caller is not an admin.
    case forbidden
    /// 404: there is none, or it belongs to somebody else.
    case notFound = "not_found"
    /// 408: the service gave up waiting for the request.
    case requestTimeout = "request_timeout"
    /// 409: the session's status forbids the call.
    case conflict
    /// 409: the same idempotency key is in flight.
    case idempotencyConflict = "idempotency_conflict"
    /// 412: an object is already there, and uploads never overwrite.
    case objectExists = "object_exists"
    /// 403 by the upload URL: its signature has run out, or does not fit what is sent.
    case uploadRefused = "upload_refused"
    /// 413: more bytes than were announced.
    case tooLarge = "content_too_large"
    /// 415: not JSON.
    case unsupportedMediaType = "unsupported_media_type"
    /// 422: bytes missing, of a wrong size, or with a wrong md5.
    case unprocessableContent = "unprocessable_content"
    /// 429: too many requests in this second.
    case tooManyRequests = "too_many_requests"
    /// 500.
    case internalServerError = "internal_server_error"
    /// 503.
    case serviceUnavailable = "service_unavailable"
    /// 504.
    case gatewayTimeout = "gateway_timeout"
    /// No answer arrived: no connection, or a broken one. What was asked for may have happened.
    case unreachable
    /// The bytes to send could not be read; the service is not at fault.
    case source
    /// An answer that fits nothing in the contract.
    case unexpected
  }

  /// What went wrong, by class.
  package var kind: Kind
  /// A sentence for a person.
  package var message: String
  /// The HTTP status, or nil when there was no answer.
  package var status: Int?
  /// The machine-readable detail of a 400, such as `parameter_missing`.
  package var code: String?
  /// Which parameter a 400 is about, such as `filename`.
  package var param: String?
  /// The service's id of the request, for support.
  package var requestID: String?
  /// How long the service asked to wait.
  package var retryAfter: Duration?
  /// The service's own word on whether a retry makes sense, which overrules the class.
  package var shouldRetry: Bool?

  /// Makes an error; `status` is the class's own unless another is given.
  package init(
    _ kind: Kind, _ message: String, status: Int? = nil, code: String? = nil, param: String? = nil,
    requestID: String? = nil, retryAfter: Duration? = nil, shouldRetry: Bool? = nil
  ) {
    self.kind = kind
    self.message = message
    self.status = status ?? kind.status
    self.code = code
    self.param = param
    self.requestID = requestID
    self.retryAfter = retryAfter
    self.shouldRetry = shouldRetry
  }

  /// A 400 about one parameter.
  package static func invalid(_ param: String, code: Code, _ message: String) -> ServiceError {
    ServiceError(.badRequest, message, code: code.rawValue, param: param)
  }

  /// The task was cancelled while the call ran. Not worth a retry; what was asked for may have happened.
  package static var cancelled: ServiceError {
    ServiceError(.unreachable, "The call was cancelled before it ended.", shouldRetry: false)
  }

  /// The codes of a 400.
  package enum Code: String, CaseIterable, Sendable {
    case parameterMissing = "parameter_missing"
    case invalidType = "invalid_type"
    /// The body is not JSON. Ours, as the next one is: the API's list of codes is open.
    case invalidJSON = "invalid_json"
    /// A value of the right type that is not allowed.
    case invalidValue = "invalid_value"
    case unknownField = "unknown_field"
    case versionHeader = "version_header"
    case idempotencyKeyTooLong = "idempotency_key_too_long"
  }
}

extension ServiceError.Kind {
  /// The HTTP status of this class, nil where no answer arrived.
  package var status: Int? {
    switch self {
    case .badRequest: 400
    case .unauthorized: 401
    case .forbidden, .uploadRefused: 403
    case .notFound: 404
    case .requestTimeout: 408
    case .conflict, .idempotencyConflict: 409
    case .objectExists: 412
    case .tooLarge: 413
    case .unsupportedMediaType: 415
    case .unprocessableContent: 422
    case .tooManyRequests: 429
    case .internalServerError: 500
    case .serviceUnavailable: 503
    case .gatewayTimeout: 504
    case .unreachable, .source, .unexpected: nil
    }
  }

  /// Whether the same call may succeed later although nothing was changed.
  package var isTransient: Bool {
    switch self {
    case .requestTimeout, .idempotencyConflict, .tooManyRequests, .internalServerError, .serviceUnavailable,
      .gatewayTimeout, .unreachable:
      true
    case .badRequest, .unauthorized, .forbidden, .notFound, .conflict, .objectExists, .uploadRefused,
      .tooLarge,
      .unsupportedMediaType, .unprocessableContent, .source, .unexpected:
      false
    }
  }

  /// Whether the service, not the file, is what has to change: the caller's key or scope, or the service itself.
  package var concernsService: Bool {
    switch self {
    case .unauthorized, .tooManyRequests, .internalServerError, .serviceUnavailable, .gatewayTimeout,
      .unreachable, .requestTimeout:
      true
    case .badRequest, .forbidden, .notFound, .conflict, .idempotencyConflict, .objectExists, .uploadRefused,
      .tooLarge, .unsupportedMediaType, .unprocessableContent, .source, .unexpected:
      false
    }
  }
}

extension ServiceError: CustomStringConvertible {
  /// The sentence, followed by what a report to the service needs: `… (400 invalid_value, purpose)`.
  package var description: String {
    message + " "
      + Self.details(
        status: status, type: kind.rawValue, code: code, param: param, requestID: requestID)
  }

  /// What a report to the service needs, in brackets: `(404, not_found, request req_1)`.
  package static func details(
    status: Int?, type: String?, code: String?, param: String?, requestID: String?
  ) -> String {
    let parts = [status.map(String.init), code ?? type, param, requestID.map { "request \($0)" }]
    return "(\(parts.compactMap(\.self).joined(separator: ", ")))"
  }
}

/// The API's error object, `{"error": {"type", "message", "code"?, "param"?}}`.
package struct ErrorBody: Codable, Hashable, Sendable {
  package struct Detail: Codable, Hashable, Sendable {
    package var type: String
    package var message: String
    package var code: String?
    package var param: String?
  }

  package var error: Detail

  /// The object that says what `error` says.
  package init(_ error: ServiceError) {
    self.error = Detail(
      type: error.kind.rawValue, message: error.message, code: error.code, param: error.param)
  }

  /// Reads the wrapped object, and the bare one that a guide shows.
  package init(from decoder: any Decoder) throws {
    if let wrapped = try? decoder.container(keyedBy: CodingKeys.self).decode(Detail.self, forKey: .error) {
      error = wrapped
    } else {
      error = try Detail(from: decoder)
    }
  }
}
