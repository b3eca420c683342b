/// What the process ends with.
enum ExitStatus: Int32, Error {
  /// Everything was done.
  case done = 0
  /// Some files failed or were rejected.
  case filesFailed = 1
  /// The call was wrong, a missing key among it.
  case usage = 2
  /// A script does not load, or ended with an error.
  case script = 3
  /// The service refused everything, or is away.
  case service = 4
  /// Another process holds the ledger.
  case ledgerOwned = 5
  /// Stopped by something that was asked for: a pause, a limit.
  case limited = 6
  /// Stopped by Ctrl-C.
  case interrupted = 130
}

/// An end with a message for the person at the keyboard.
struct CommandFailure: Error, CustomStringConvertible {
  var status: ExitStatus
  var message: String

  var description: String { message }

  init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }
}
