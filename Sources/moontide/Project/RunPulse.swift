import FileSessions
import Ingestion
import Synchronization

/// Tells now and then how a run goes: the service manager, and those who ask for `moontide status`.
final class RunPulse: Sendable {
  private struct State {
    var lastSign = ContinuousClock.now
    var isReady = false
    /// Recipes that were asked to be loaded anew, and have not been yet.
    var loading = 0
  }

  private let display: Display
  private let statePath: String
  private let clock: WallClock
  private let manager: ServiceManager?
  private let hours: DailyWindow?
  private let state = Mutex(State())

  /// - Parameters:
  ///   - manager: who is to be told; nil where nobody asked.
  ///   - hours: outside of which nothing is begun.
  init(
    _ display: Display, statePath: String, clock: WallClock, manager: ServiceManager?, hours: DailyWindow?
  ) {
    self.hours = hours
    self.display = display
    self.statePath = statePath
    self.clock = clock
    self.manager = manager
    display.tell { [weak self] event, _ in self?.take(event) }
  }

  /// Tells how it goes as long as `body` runs.
  func beating<Value: Sendable>(_ body: () async throws -> Value) async rethrows -> Value {
    let beat = Task { await self.beat() }
    do {
      let value = try await body()
      beat.cancel()
      await beat.value
      return value
    } catch {
      beat.cancel()
      await beat.value
      throw error
    }
  }

  /// So many recipes are being loaded anew.
  func reloading(_ recipes: Int) {
    state.withLock { $0.loading = recipes }
    manager?.reloading()
  }

  /// One of them has been, or is not used.
  func reloaded() {
    let isLast = state.withLock { state in
      state.loading -= 1
      return state.loading == 0
    }
    if isLast { manager?.ready() }
  }

  /// The run is asked to end.
  func stopping() { manager?.stopping() }

  /// Every event shows that the engine goes on; when it has nothing else to tell it says that it is alive.
  private func take(_ event: RunEvent) {
    let isFirst = state.withLock { state in
      state.lastSign = .now
      guard case .began = event, !state.isReady else { return false }
      state.isReady = true
      return true
    }
    if isFirst { manager?.ready() }
  }

  private func beat() async {
    let watchdog = manager?.watchdog
    let step = min(.seconds(1), watchdog.map { $0 / 4 } ?? .seconds(1))
    var told: LiveStatus?
    var lastPing: ContinuousClock.Instant?
    while !Task.isCancelled {
      let moment = clock.now
      let held = hours?.hold(at: moment) ?? display.hold
      let status = LiveStatus(display.progress, held: held, at: moment)
      if told.map({ !$0.isAsGood(as: status) }) ?? true {
        status.write(to: statePath)
        manager?.status(status.line)
        told = status
      }
      let now = ContinuousClock.now
      if let watchdog {
        // An engine that hangs is silent, and so is this then.
        let isAlive = now - state.withLock { $0.lastSign } < watchdog / 2
        if isAlive, lastPing.map({ now - $0 >= watchdog / 2 - step }) ?? true {
          manager?.alive()
          lastPing = now
        }
      }
      try? await Bench.sleep(step)
    }
    LiveStatus.remove(from: statePath)
  }
}
