import Dispatch
import Glibc
import Ingestion
import Synchronization

/// Ctrl-C and SIGTERM: the first asks a run to finish what is under way, a second Ctrl-C cancels that too, and a third
/// ends the process at once. SIGHUP is for those that watch, except where it says that the terminal is gone.
final class Interruption: Sendable {
  /// What is done about a signal, as it is announced.
  enum Step: Sendable {
    /// What is under way is finished. With SIGTERM there may be a limit to how long that takes.
    case draining(for: Duration?)
    /// What is under way is cancelled.
    case cancelling
    /// The process ends now.
    case quitting
  }

  private struct State {
    var interrupts = 0
    var isCancelled = false
    var cancel: (@Sendable () -> Void)?
  }

  private let stop: StopSignal
  private let cancelsAtOnce: Bool
  private let drainTimeout: Duration?
  private let announce: @Sendable (Step) -> Void
  private let state = Mutex(State())
  // Sources are not marked Sendable; these are made here, and afterwards only kept alive.
  private nonisolated(unsafe) var sources: [any DispatchSourceSignal] = []

  /// - Parameters:
  ///   - cancelsAtOnce: the first Ctrl-C, and SIGTERM, cancel already: there is nothing to finish.
  ///   - drainTimeout: how long finishing may take after SIGTERM; nil: as long as it does.
  ///   - announce: told of each step before it is taken, where there are several.
  ///   - onHangUp: what a SIGHUP is for; nil: it ends the process.
  init(
    stop: StopSignal, cancelsAtOnce: Bool = false, drainTimeout: Duration? = nil,
    onHangUp: (@Sendable () -> Void)? = nil, announce: @escaping @Sendable (Step) -> Void = { _ in }
  ) {
    self.stop = stop
    self.cancelsAtOnce = cancelsAtOnce
    self.drainTimeout = drainTimeout
    self.announce = announce
    sources = [
      Self.source(of: SIGINT) { [weak self] in self?.interrupt() },
      Self.source(of: SIGTERM) { [weak self] in self?.terminate() },
    ]
    guard let onHangUp else { return }
    let hadTerminal = isatty(STDIN_FILENO) == 1
    sources.append(
      Self.source(of: SIGHUP) { [weak self] in
        if hadTerminal && isatty(STDIN_FILENO) == 0 { self?.terminate() } else { onHangUp() }
      })
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
    let count = state.withLock { state in
      state.interrupts += 1
      return state.interrupts
    }
    switch count {
    case 1 where cancelsAtOnce:
      cancel()
    case 1:
      announce(.draining(for: nil))
      stop.request()
    case 2:
      cancel()
    default:
      announce(.quitting)
      exit(ExitStatus.interrupted.rawValue)
    }
  }

  private func terminate() {
    guard !stop.isRequested, !cancelsAtOnce else {
      stop.request()
      return cancel()
    }
    announce(.draining(for: drainTimeout))
    stop.request()
    guard let drainTimeout else { return }
    DispatchQueue.global().asyncAfter(deadline: .now() + drainTimeout.inSeconds) { [weak self] in
      self?.cancel()
    }
  }

  private func cancel() {
    let (isFirst, cancel) = state.withLock { state in
      defer { state.isCancelled = true }
      return (!state.isCancelled, state.cancel)
    }
    if isFirst, !cancelsAtOnce { announce(.cancelling) }
    cancel?()
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
