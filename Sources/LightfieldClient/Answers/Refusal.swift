import FileSessions

/// Makes the errors that answers are: classified, with what a person can do, and without a secret.
struct Refusal: Sendable {
  let key: APIKey
  /// Who answers, such as `https://api.lightfield.app`.
  let origin: String
  let clock: WallClock

  private static let longestMessage = 1000

  /// The error of an answer to a call of the API.
  func error(_ answer: Answer, to request: APIRequest) -> ServiceError {
    let said = (try? answer.decoded(ErrorBody.self))?.error
    var error = base(answer, kind: kind(answer.status, type: said?.type))
    error.code = said?.code.map(safe)
    error.param = said?.param.map(safe)
    error.message = message(error.kind, answer, said: said.map { safe($0.message) }, request)
    return error
  }

  /// The error of an answer with a status that promises more than its body holds.
  func unreadable(_ answer: Answer, to request: APIRequest) -> ServiceError {
    var error = base(answer, kind: .unexpected)
    error.message =
      "\(origin) answered \(request.name) with something else than the API's JSON: \(quote(answer)). Check the "
      + "service's URL."
    return error
  }

  /// The error of an answer by the upload URL, which is storage and not the API.
  func uploadError(_ answer: Answer, host: String) -> ServiceError {
    // Object stores say in XML what the matter is.
    let detail = String(decoding: answer.body, as: UTF8.self)
    let said = try? answer.decoded(ErrorBody.self)
    let code = Self.element("Code", in: detail) ?? said?.error.code
    var error = base(answer, kind: Self.uploadKind(answer.status, code: code, type: said?.error.type))
    error.code = code.map(safe)
    error.param = said?.error.param.map(safe)
    let words = (Self.element("Message", in: detail) ?? said?.error.message).map { ": " + safe($0) } ?? ""
    error.message =
      switch error.kind {
      case .uploadRefused: "\(host) does not take the bytes with this upload URL any more\(words)"
      case .objectExists: "Bytes are there already, and uploads never overwrite\(words)"
      case .unexpected where (300..<400).contains(answer.status):
        "\(host) sends the bytes elsewhere (\(answer.status)); an upload's redirects are refused, as its bytes go "
          + "to the upload URL alone."
      case .unexpected: "\(host) answered the upload with \(answer.status): \(quote(answer))"
      default: "\(host) refused the bytes with \(answer.status)\(words)"
      }
    return error
  }

  /// The error of an answer by the download URL.
  func downloadError(_ answer: Answer, host: String) -> ServiceError {
    let detail = String(decoding: answer.body, as: UTF8.self)
    let kind = kind(answer.status, type: nil)
    // A URL that has just been given and is refused has run out; asking again gives another.
    var error = base(answer, kind: kind == .unauthorized ? .forbidden : kind)
    error.code = Self.element("Code", in: detail).map(safe)
    error.message = "\(host) answered the download with \(answer.status): \(quote(answer))"
    return error
  }

  private func base(_ answer: Answer, kind: ServiceError.Kind) -> ServiceError {
    ServiceError(
      kind, "", status: answer.status, requestID: answer.requestID.map(safe),
      retryAfter: answer.headers.retryAfter(now: clock.now), shouldRetry: answer.shouldRetry)
  }

  private func kind(_ status: Int, type: String?) -> ServiceError.Kind {
    switch status {
    case 400: .badRequest
    case 401: .unauthorized
    case 403: .forbidden
    case 404: .notFound
    case 408: .requestTimeout
    case 409: type == ServiceError.Kind.idempotencyConflict.rawValue ? .idempotencyConflict : .conflict
    case 412: .objectExists
    case 413: .tooLarge
    case 415: .unsupportedMediaType
    case 422: .unprocessableContent
    case 429: .tooManyRequests
    case 503: .serviceUnavailable
    case 504: .gatewayTimeout
    case 500...: .internalServerError
    default: .unexpected
    }
  }

  private static func uploadKind(_ status: Int, code: String?, type: String?) -> ServiceError.Kind {
    switch (status, code) {
    case (401, _), (403, _), (_, "ExpiredToken"?), (_, "RequestExpired"?): .uploadRefused
    // Amazon's way of saying that the bytes stopped coming.
    case (400, "RequestTimeout"?), (400, "IncompleteBody"?), (408, _): .requestTimeout
    case (404, _), (410, _): .notFound
    case (409, _): .conflict
    case (412, _): .objectExists
    case (413, _), (400, "EntityTooLarge"?): .tooLarge
    case (422, _): .unprocessableContent
    case (429, _): .tooManyRequests
    case (503, _): .serviceUnavailable
    case (504, _): .gatewayTimeout
    case (500..., _): .internalServerError
    case (400, _) where type == ServiceError.Kind.badRequest.rawValue: .badRequest
    default: .unexpected
    }
  }

  private func message(
    _ kind: ServiceError.Kind, _ answer: Answer, said: String?, _ request: APIRequest
  ) -> String {
    let words = said ?? "\(origin) answered \(answer.status): \(quote(answer))"
    switch kind {
    case .unauthorized:
      return "\(origin) does not accept the key \(key.hint): \(words)"
    case .forbidden:
      return "The key \(key.hint) may not do this: \(words)\(scope(of: request, unsaidIn: said))"
    case .unexpected where (300..<400).contains(answer.status):
      return "\(origin) sends \(request.name) elsewhere (\(answer.status)), which is not followed. Check the "
        + "service's URL."
    default:
      return words
    }
  }

  /// Names the scope that a call needs where the service does not, and does not give another reason either.
  private func scope(of request: APIRequest, unsaidIn said: String?) -> String {
    guard let scope = request.scope else { return "" }
    if let said, said.contains(scope) || !said.lowercased().contains("scope") { return "" }
    return " The call needs the scope \(scope)."
  }

  private func quote(_ answer: Answer) -> String {
    let beginning = String(decoding: answer.body.prefix(4096), as: UTF8.self)
    return beginning.isEmpty ? "nothing" : "\"\(SafeText.line(without(key, beginning), limit: 200))\""
  }

  /// Text of the service without the key, should it have come back, and without what a terminal would obey.
  func safe(_ text: String) -> String {
    SafeText.line(without(key, text), limit: Self.longestMessage)
  }

  /// By bytes and before anything is cut, so that no part of the key is left over.
  private func without(_ key: APIKey, _ text: String) -> String {
    String(
      decoding: Array(text.utf8).replacing(Array(key.secret.utf8), with: Array(key.hint.utf8)), as: UTF8.self)
  }

  private static func element(_ name: String, in xml: String) -> String? {
    guard let start = xml.firstRange(of: "<\(name)>"),
      let end = xml[start.upperBound...].firstRange(of: "</\(name)>")
    else { return nil }
    return String(xml[start.upperBound..<end.lowerBound])
  }
}
