import FileSessions
import Foundation
import Ingestion
import SQLiteLedger
import Synchronization
import Workspace

/// News of a tree that a test makes up.
final class ToldTree: TreeWatch {
  private let news = Mutex(TreeNews())
  private let ring = Mutex<(@Sendable () -> Void)?>(nil)
  private let listeners = Mutex<[CheckedContinuation<Void, Never>]>([])
  private let closed = Atomic(false)

  var isClosed: Bool { closed.load(ordering: .acquiring) }

  func open(_ order: WatchOrder, notify: @escaping @Sendable () -> Void) -> any TreeWatch {
    ring.withLock { $0 = notify }
    return self
  }

  func tell(_ change: (inout TreeNews) -> Void) {
    news.withLock { change(&$0) }
    ring.withLock { $0 }?()
  }

  func tell(changed paths: String...) throws {
    let paths = try Set(paths.map { try ProjectPath($0) })
    tell { $0.changed.formUnion(paths) }
  }

  /// Tells of changes, and waits until that was heard.
  func told(changed paths: String...) async throws {
    let paths = try Set(paths.map { try ProjectPath($0) })
    await withCheckedContinuation { continuation in
      listeners.withLock { $0.append(continuation) }
      tell { $0.changed.formUnion(paths) }
    }
  }

  func take() -> TreeNews {
    let taken = news.withLock { news in
      defer { news = TreeNews() }
      return news
    }
    guard !taken.isEmpty else { return taken }
    let heard = listeners.withLock { listeners in
      defer { listeners = [] }
      return listeners
    }
    for listener in heard { listener.resume() }
    return taken
  }

  func close() { closed.store(true, ordering: .releasing) }
}

/// An engine under a clock of the test's, whose events can be awaited.
final class WatchRig: Sendable {
  let rig: Rig
  let clock: VirtualClock
  let stop = StopSignal()
  private let ledger: SQLiteLedger
  private let engine: Engine
  private let events: AsyncStream<RunEvent>

  init(
    _ rig: Rig, _ recipe: any Recipe, clock: VirtualClock, gate: Gate? = nil,
    wrap: ((any FileService) -> any FileService)? = nil
  ) throws {
    self.rig = rig
    self.clock = clock
    ledger = try SQLiteLedger(directory: rig.project.state, clock: clock.wall)
    let (events, continuation) = AsyncStream.makeStream(of: RunEvent.self)
    self.events = events
    let service: any FileService = rig.store.service()
    engine = Engine(
      recipe: recipe, profile: "local", service: wrap?(service) ?? service, ledger: ledger,
      workspace: rig.workspace, types: MIMETypes(), seat: (gate ?? Gate(places: 2)).join(recipe.name),
      retry: Retrier(
        policy: RetryPolicy(
          attempts: 1, firstWait: .zero, longestWait: .zero, jitter: 0, longestAskedWait: .zero),
        sleep: { [clock] in try await clock.sleep($0) }),
      clock: clock.wall, newKey: { UUID().uuidString }, stop: stop,
      report: { event in
        continuation.yield(event)
        if case .ended = event { continuation.finish() }
      })
  }

  func run() async -> RunSummary { await engine.run() }

  /// Watches, while `body` makes things happen; then stops.
  func watch(
    through open: WatchOpener? = nil, _ body: @Sendable (inout Events) async throws -> Void
  ) async throws -> RunSummary {
    async let summary = engine.watch(through: open)
    var events = Events(events.makeAsyncIterator())
    do {
      try await body(&events)
    } catch {
      stop.request()
      _ = await summary
      throw error
    }
    stop.request()
    return await summary
  }

  /// Every event of a run that has ended.
  func allEvents() async -> [RunEvent] { await events.reduce(into: []) { $0.append($1) } }
}

/// Events in their order.
struct Events {
  private var iterator: AsyncStream<RunEvent>.AsyncIterator

  init(_ iterator: AsyncStream<RunEvent>.AsyncIterator) { self.iterator = iterator }

  /// Passes over events until one is as wanted; nil when there are no more.
  @discardableResult
  mutating func next<Value>(_ wanted: (RunEvent) -> Value?) async -> Value? {
    while let event = await iterator.next() {
      if let value = wanted(event) { return value }
    }
    return nil
  }

  /// The path of the next file that is sent.
  mutating func sent() async -> String? {
    await next { if case .sent(let path, _) = $0 { path.string } else { nil } }
  }

  mutating func caughtUp() async -> RunSummary? {
    await next { if case .caughtUp(let summary) = $0 { summary } else { nil } }
  }

  /// What a watching engine wants to be known next.
  mutating func news() async -> String? {
    await next { if case .watching(let what) = $0 { what } else { nil } }
  }

  mutating func problem() async -> String? {
    await next { if case .problem(_, let message, _) = $0 { message } else { nil } }
  }
}

extension TemporaryProject {
  /// Gives a file a time of modification.
  func age(_ path: String, modified: Timestamp) throws {
    let date = Date(timeIntervalSince1970: Double(modified.milliseconds) / 1000)
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: root + "/" + path)
  }
}
