/// Where a file session stands, as the API names it.
///
/// ```
///             complete (bytes present, size and md5 agree)
///  PENDING ───────────────────────────────────────────────▶ COMPLETED
///     ├────── cancel ──────────────────────────────────────▶ CANCELLED
///     └────── expiresAt passes ────────────────────────────▶ EXPIRED
/// ```
package enum FileStatus: String, CaseIterable, Codable, Sendable {
  /// Open: bytes may be sent. Goes to `completed`, `cancelled` or `expired`.
  case pending = "PENDING"
  /// The bytes are there and verified. Final: the API has no delete.
  case completed = "COMPLETED"
  /// Given up by the caller before it was completed. Final.
  case cancelled = "CANCELLED"
  /// Its time passed before it was completed. Final.
  case expired = "EXPIRED"

  /// Whether no event leads out of this status.
  package var isFinal: Bool { self != .pending }
}

/// What can happen to a file session.
package enum FileEvent: String, CaseIterable, Sendable {
  /// Bytes arrive at the upload target.
  case receive
  /// `complete` was asked for, and the bytes are there and agree with size and md5.
  case complete
  /// `cancel` was asked for.
  case cancel
  /// `expiresAt` passed.
  case expire
  /// A download URL, or the bytes, were asked for.
  case download
}

/// What an event does to a session.
package enum FileTransition: Hashable, Sendable {
  /// The session takes this status.
  case become(FileStatus)
  /// The event is allowed and the status stays as it is.
  case stay
  /// The status forbids the event: a 409 `conflict`.
  case refuse
}

extension FileStatus {
  /// What `event` does to a session of this status.
  ///
  /// Total: every status answers every event, and a final status never becomes another.
  package func transition(on event: FileEvent) -> FileTransition {
    switch (self, event) {
    case (.pending, .receive): .stay
    case (.pending, .complete): .become(.completed)
    case (.pending, .cancel): .become(.cancelled)
    case (.pending, .expire): .become(.expired)
    case (.pending, .download): .refuse
    case (.completed, .download): .stay
    case (.completed, .expire), (.cancelled, .expire), (.expired, .expire): .stay
    case (.completed, .receive), (.completed, .complete), (.completed, .cancel): .refuse
    case (.cancelled, .receive), (.cancelled, .complete), (.cancelled, .cancel), (.cancelled, .download):
      .refuse
    case (.expired, .receive), (.expired, .complete), (.expired, .cancel), (.expired, .download): .refuse
    }
  }

  /// The 409 that answers an event which this status forbids.
  package func conflict(on event: FileEvent, session id: String) -> ServiceError {
    let wish =
      switch event {
      case .receive: "receive bytes"
      case .complete: "be completed"
      case .cancel: "be cancelled"
      case .expire: "expire"
      case .download: "be downloaded"
      }
    let needed = event == .download ? FileStatus.completed : .pending
    return ServiceError(
      .conflict, "The file \(id) is \(rawValue) and cannot \(wish); that takes \(needed.rawValue).",
      shouldRetry: false)
  }
}
