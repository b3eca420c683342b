import FileSessions
import Foundation
import Ingestion
import LocalService
import SQLiteLedger
import Simulation
import Synchronization
import Workspace

/// An engine over a real directory, a real ledger and the real local service.
struct Rig {
  let project: TemporaryProject
  let workspace: Workspace
  let store: LocalStore
  /// The service's clock.
  let clock: WallClock

  init(_ project: TemporaryProject, clock: WallClock = .system) async throws {
    self.project = project
    self.clock = clock
    workspace = try project.workspace()
    store = try await LocalStore.open(project.state + "/local", clock: clock)
  }

  /// Runs a recipe once; the ledger is opened for the run and let go after it.
  ///
  /// - Parameter clock: this machine's, where it is not the service's.
  func run(
    _ recipe: any Recipe, crash: CrashPoint? = nil, wrap: ((any FileService) -> any FileService)? = nil,
    transfers: Int = 1, attempts: Int = 1, clock: WallClock? = nil
  ) async throws -> (summary: RunSummary, events: [RunEvent]) {
    let events = Mutex<[RunEvent]>([])
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    var service: any FileService = store.service()
    if let wrap { service = wrap(service) }
    let engine = engine(
      recipe, service: crash.map { UnreliableService(service, fate: $0.fate) } ?? service,
      ledger: crash.map { UnreliableLedger(ledger, fate: $0.fate) } ?? ledger, transfers: transfers,
      attempts: attempts, clock: clock
    ) { event in events.withLock { $0.append(event) } }
    let summary = await engine.run()
    return (summary, events.withLock { $0 })
  }

  /// An engine that tries each call so often.
  func engine(
    _ recipe: any Recipe, service: (any FileService)? = nil, ledger: any Ledger, transfers: Int = 1,
    allowance: Allowance = .all, seat: GateSeat? = nil, attempts: Int = 1, clock: WallClock? = nil,
    report: @escaping @Sendable (RunEvent) -> Void = { _ in },
    patience: (@Sendable (Duration) async throws -> Void)? = nil
  ) -> Engine {
    var terms = Gate.Terms()
    terms.allowance = allowance
    return Engine(
      recipe: recipe, profile: "local", service: service ?? store.service(), ledger: ledger,
      workspace: workspace, types: MIMETypes(),
      seat: seat ?? Gate(places: transfers, terms: terms).join(recipe.name),
      retry: Retrier(
        policy: RetryPolicy(
          attempts: attempts, firstWait: .zero, longestWait: .zero, jitter: 0, longestAskedWait: .zero),
        sleep: { _ in }),
      clock: clock ?? self.clock, newKey: { UUID().uuidString },
      patience: patience, report: report)
  }

  /// Every session that the service has.
  func sessions() async throws -> [FileSession] {
    var all: [FileSession] = []
    while true {
      let page = try await store.service().list(limit: 25, offset: all.count)
      if page.data.isEmpty { return all }
      all += page.data
    }
  }

  func content(of session: FileSession) async throws -> String {
    let bytes = Mutex<[UInt8]>([])
    _ = try await store.service().download(session.id, range: nil) { piece in
      bytes.withLock { $0 += piece }
    }
    return String(decoding: bytes.withLock { $0 }, as: UTF8.self)
  }
}
