/// How far a job has come.
///
/// ```
/// decided ─▶ opened ─▶ uploaded ─▶ completed ─▶ done
///    │          │          │
///    └──────────┴──────────┴─▶ failed          skipped    deferred
/// ```
package enum Phase: String, CaseIterable, Sendable, Codable {
  /// The request and its idempotency key are recorded; a session may have been opened. Goes to `opened` or `failed`.
  case decided
  /// The session and its upload target are recorded. Goes to `uploaded`, back to `decided` with a new key, or
  /// to `failed`.
  case opened
  /// All bytes were sent, and their md5 is recorded. Goes to `completed`, back to `decided`, or to `failed`.
  case uploaded
  /// The session is `COMPLETED`; the recipe's `completed` is still to do. Goes to `done`.
  case completed
  /// Nothing is left to do for this content.
  case done
  /// The recipe has no interest. Asked again when the file or the recipe changes.
  case skipped
  /// The recipe wants to be asked again later.
  case deferred
  /// Given up, with a reason. Asked again when the file or the recipe changes, or at once if the reason may
  /// have passed.
  case failed

  /// Whether a session may be open, or a recorded duty be left, so that a new run has to see to it first.
  package var isUnderWay: Bool {
    switch self {
    case .decided, .opened, .uploaded, .completed: true
    case .done, .skipped, .deferred, .failed: false
    }
  }
}
