import FileSessions
import LuaLibrary

/// What went wrong at a service, and what a person can do about it.
enum ServiceErrorText {
  /// - Parameter scope: what the call takes, such as `files:read`, where it is known.
  static func text(_ error: ServiceError, at destination: Destination, scope: String? = nil) -> String {
    var text = error.description.printable
    if let access = destination.access, let advice = advice(error, access, scope: scope) {
      text += "\n  " + advice
    }
    return text
  }

  /// The status that a command ends with.
  static func status(of error: ServiceError) -> ExitStatus {
    error.kind.concernsService || error.kind == .forbidden ? .service : .filesFailed
  }

  private static func advice(_ error: ServiceError, _ access: RemoteAccess, scope: String?) -> String? {
    let key = "The key \(access.keyHint) (\(access.keySource.phrase))"
    switch error.kind {
    case .unauthorized:
      return "\(key) was refused by \(access.address). It may be revoked, mistyped, or another service's."
    case .forbidden:
      let wanted = scope.map { " This takes the scope \($0);" } ?? ""
      return "\(key) may not do this.\(wanted) purposes such as knowledge_workspace take an admin's key."
    case .notFound:
      return "It may belong to another organisation than the key \(access.keyHint), or to another profile."
    case .tooManyRequests:
      let wait = error.retryAfter.map { " It may be asked again in \(Format.duration($0))." } ?? ""
      return "Others use up the organisation's rate limits.\(wait) --rate write=5,read=5 leaves them room."
    case .unreachable, .gatewayTimeout, .requestTimeout:
      return "Is \(access.address) the right address, and the network up? Run the command again later."
    case .internalServerError, .serviceUnavailable, .unexpected:
      let request = error.requestID.map { "; its support can look up the request \($0.printable)" } ?? ""
      return "The fault is at \(access.address)\(request). Run the command again later."
    case .badRequest, .conflict, .idempotencyConflict, .objectExists, .tooLarge, .unsupportedMediaType,
      .uploadRefused, .unprocessableContent, .source:
      return nil
    }
  }
}
