import Synchronization

/// A wish to end a run: no new files are begun, those under way are finished.
package final class StopSignal: Sendable {
  private let wished = Atomic(false)

  package init() {}

  /// Makes the wish known; it is never taken back.
  package func request() {
    wished.store(true, ordering: .releasing)
  }

  package var isRequested: Bool { wished.load(ordering: .acquiring) }
}
