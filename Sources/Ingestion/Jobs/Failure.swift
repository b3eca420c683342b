import FileSessions

/// Why a file was given up, in a form that is recorded, shown, and handed to `failed` handlers.
package struct Failure: Hashable, Sendable, Codable, Error {
  package enum Kind: String, CaseIterable, Sendable, Codable {
    /// The recipe refused the file.
    case rejected
    /// A handler raised an error, or gave something that cannot be used.
    case script
    /// A handler was stopped for using more than it may.
    case stopped
    /// The service refused the file.
    case service
    /// The file breaks a limit that the API publishes.
    case limit
    /// The file could not be read, or is gone.
    case file
    /// The file kept changing while it was sent.
    case changing
  }

  package var kind: Kind
  /// A sentence for a person.
  package var message: String
  /// The handler at fault, for the kinds `script` and `stopped`.
  package var handler: String?
  /// Where in the script, and how it got there; several lines.
  package var trace: String?
  /// The service's answer, for kind `service`.
  package var status: Int?
  package var type: String?
  package var code: String?
  package var param: String?
  /// Where the file was moved since it was given up, relative to the project.
  package var movedTo: String?
  /// The service's id of the request.
  package var requestID: String?

  /// Whether a service's refusal is one that it may not repeat.
  package var isPassing: Bool?
  /// How often the file was given up so far.
  package var tries: Int?

  private enum CodingKeys: String, CodingKey {
    case kind, message, handler, trace, status, type, code, param, movedTo, isPassing, tries
    case requestID = "requestId"
  }

  package init(
    _ kind: Kind, _ message: String, handler: String? = nil, trace: String? = nil, status: Int? = nil,
    type: String? = nil, code: String? = nil, param: String? = nil, requestID: String? = nil
  ) {
    self.kind = kind
    self.message = message
    self.handler = handler
    self.trace = trace
    self.status = status
    self.type = type
    self.code = code
    self.param = param
    self.requestID = requestID
  }

  /// The failure that a service's refusal is.
  package init(_ error: ServiceError) {
    self.init(
      error.kind == .source ? .file : .service, error.message, status: error.status,
      type: error.kind.rawValue, code: error.code, param: error.param, requestID: error.requestID)
    // An answer that cannot be understood says nothing of the file.
    if error.shouldRetry ?? (error.kind.isTransient || error.kind == .unexpected) { isPassing = true }
  }

  /// The sentence, and after a service's refusal what a report to it needs.
  package var report: String {
    // A script's message has it already, where it is the service's.
    guard kind == .service, status != nil || type != nil else { return message }
    return message + " "
      + ServiceError.details(status: status, type: type, code: code, param: param, requestID: requestID)
  }

  /// The same of a part of the file.
  func about(part name: String) -> Failure {
    var failure = self
    failure.message = "\(name): \(message)"
    return failure
  }

  /// Whether it is tried again, by itself and by the next run, although neither file nor recipe has changed.
  package var mayPass: Bool {
    switch kind {
    case .file, .changing: true
    case .service: isPassing ?? false
    case .rejected, .script, .stopped, .limit: false
    }
  }
}
