import FileSessions

/// What went wrong at a service, and what a person can do about it.
enum ServiceErrorText {
  /// - Parameter isLast: whether nothing follows that says what to do now.
  static func text(_ error: ServiceError, at destination: Destination, isLast: Bool = true) -> String {
    let text = error.description.printable
    guard let access = destination.access, let advice = advice(error, access) else { return text }
    return text + "\n  " + advice + (isLast && mayPass(error) ? " Run the command again later." : "")
  }

  /// Whether the same command may do better later.
  private static func mayPass(_ error: ServiceError) -> Bool {
    switch error.kind {
    case .unreachable, .gatewayTimeout, .requestTimeout, .internalServerError, .serviceUnavailable: true
    default: false
    }
  }

  /// The status that a command ends with.
  static func status(of error: ServiceError) -> ExitStatus {
    error.kind.concernsService || error.kind == .forbidden ? .service : .filesFailed
  }

  private static func advice(_ error: ServiceError, _ access: RemoteAccess) -> String? {
    switch error.kind {
    case .unauthorized:
      return
        "The key comes from \(access.keySource.phrase); it may be revoked, mistyped, or another service's."
    case .forbidden:
      return
        "The key comes from \(access.keySource.phrase); use one that may, or have this one's rights widened."
    case .notFound:
      return "It may belong to another organisation than the key \(access.keyHint), or to another profile."
    case .tooManyRequests:
      let wait = error.retryAfter.map { " It may be asked again in \(Format.duration($0))." } ?? ""
      return "Others use up the organisation's rate limits.\(wait) --rate write=5,read=5 leaves them room."
    // What no repeat mends is told by the message itself, with what does.
    case .unreachable where error.shouldRetry == false: return nil
    case .unreachable, .gatewayTimeout, .requestTimeout:
      return "Is \(access.address) the right address, and the network up?"
    case .internalServerError, .serviceUnavailable:
      return "The fault is at \(access.address)."
    case .badRequest, .conflict, .idempotencyConflict, .objectExists, .uploadRefused, .tooLarge,
      .unsupportedMediaType, .unprocessableContent, .source, .unexpected:
      return nil
    }
  }
}
