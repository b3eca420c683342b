import Dispatch
import Glibc
import Ingestion
import Synchronization

/// Ctrl-C and SIGTERM: the first asks a run to finish what is under way, a second Ctrl-C cancels that too.
final class Interruption: Sendable {
  private struct State {
    var interrupts = 0
    var cancel: (@Sendable () -> Void)?
  }

  private let stop: StopSignal
  private let cancelsAtOnce: Bool
  private let announce: @Sendable (String) -> Void
  private let onStop: @Sendable () -> Void
  private let state = Mutex(State())
  // Sources are not marked Sendable; these are made here, and afterwards only kept alive.
  private nonisolated(unsafe) var sources: [any DispatchSourceSignal] = []

  /// - Parameters:
  ///   - cancelsAtOnce: the first Ctrl-C, and SIGTERM, cancel already: there is nothing to finish.
  ///   - onStop: called with the first wish to end, where nobody asks `stop`.
  init(
    stop: StopSignal, announce: @escaping @Sendable (String) -> Void, cancelsAtOnce: Bool = false,
    onStop: @escaping @Sendable () -> Void = {}
  ) {
    self.stop = stop
    self.cancelsAtOnce = cancelsAtOnce
    self.announce = announce
    self.onStop = onStop
    sources = [
      Self.source(of: SIGINT) { [weak self] in self?.interrupt() },
      Self.source(of: SIGTERM) { [weak self] in self?.terminate() },
    ]
  }

  /// Whether Ctrl-C was pressed.
  var wasInterrupted: Bool { state.withLock { $0.interrupts > 0 } }

  /// Runs `body` so that a second Ctrl-C cancels it.
  func watching<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
    let task = Task { await body() }
    state.withLock { $0.cancel = { task.cancel() } }
    return await task.value
  }

  private func interrupt() {
    let (count, cancel) = state.withLock { state in
      state.interrupts += 1
      return (state.interrupts, state.cancel)
    }
    switch count {
    case 1 where cancelsAtOnce:
      cancel?()
    case 1:
      stop.request()
      onStop()
      announce("Finishing what is under way. Ctrl-C again cancels it; it is taken up by the next run.")
    case 2:
      cancel?()
    default:
      exit(ExitStatus.interrupted.rawValue)
    }
  }

  private func terminate() {
    let isFirst = !stop.isRequested
    stop.request()
    if isFirst, !cancelsAtOnce {
      onStop()
      announce("Finishing what is under way. A second SIGTERM cancels it; it is taken up by the next run.")
    } else {
      state.withLock { $0.cancel }?()
    }
  }

  private static func source(
    of number: Int32, _ handler: @escaping @Sendable () -> Void
  ) -> any DispatchSourceSignal {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler(handler: handler)
    source.resume()
    return source
  }
}
