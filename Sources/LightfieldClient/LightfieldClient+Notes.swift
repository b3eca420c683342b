import FileSessions

/// A call that is under way.
struct Timed {
  let name: String
  private(set) var begin: Duration?

  /// It leaves only now: it waited for its turn.
  mutating func begins(at moment: Duration) { begin = moment }
}

extension LightfieldClient {
  /// Tells of a call that was answered.
  func note(_ call: Timed, _ answer: Answer) {
    let duration = call.begin.map { steadyClock.now - $0 } ?? .zero
    configuration.note(
      CallRecord(name: call.name, status: answer.status, requestID: answer.requestID, duration: duration))
  }

  /// Tells of a call that got no answer.
  func note(_ call: Timed, _ error: ServiceError) {
    let duration = call.begin.map { steadyClock.now - $0 } ?? .zero
    configuration.note(CallRecord(name: call.name, error: error.kind.rawValue, duration: duration))
  }
}
