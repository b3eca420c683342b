import FileSessions

/// A call that something can befall: of the service, or a write of the ledger.
package enum Call: String, Hashable, Sendable, CaseIterable {
  case create, upload, complete, cancel, retrieve
  /// A change of jobs, and a trace.
  case record, leave

  package var isOfService: Bool { self != .record && self != .leave }
}

/// What befalls a call.
package enum Fault: Hashable, Sendable {
  /// Nothing is done, and this is the answer.
  case refused(ServiceError)
  /// All is done, and this arrives instead of the answer.
  case lost(ServiceError)
  /// Other bytes arrive than were sent, and no answer comes.
  case corrupted
  /// The ledger cannot be written.
  case full
  /// The process is dead: this call is not made any more.
  case dead
  /// The process dies when the call has had its effect.
  case dying

  package static let noAnswer = ServiceError(.unreachable, "no answer")
}

/// Decides, call by call, what befalls it; nil: nothing.
package typealias Fate = @Sendable (Call) -> Fault?
