import Ingestion
import Synchronization

/// Counts how often a script was stopped in a row, and says when that is too often.
///
/// One file may be the poison of a sound script; three files after one another mean that the script itself is.
final class Quarantine: Sendable {
  static let mostStops = 3

  private struct State {
    var stops = 0
    var reason: String?
  }

  private let state = Mutex(State())

  /// Why the script is not to be called any more; nil while it may be.
  var reason: String? { state.withLock { $0.reason } }

  /// A call ended without being stopped.
  func passed() {
    state.withLock { $0.stops = 0 }
  }

  /// A call was stopped.
  func stopped(_ failure: Failure, recipe: String) {
    state.withLock { state in
      state.stops += 1
      guard state.stops >= Self.mostStops, state.reason == nil else { return }
      state.reason =
        "The recipe \(recipe) is in quarantine: it was stopped \(state.stops) times in a row, "
        + "the last time with: \(failure.message)."
    }
  }
}
