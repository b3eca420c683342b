import FileSessions
import Foundation
import Ingestion
import LightfieldClient
import LocalService
import NIOHTTP1
import SQLiteLedger
import ServiceTestSupport
import Synchronization
import Workspace

/// A project, the engine, the client, the proxy that lets things happen, the server and its store.
///
/// Everything is real but time: waits before a retry move the clock and take none.
final class FaultyRoad: Sendable {
  /// A file that is to be sent.
  struct File: Sendable {
    /// Without an extension; begins with what tells it from the others.
    var stem: String
    var bytes: [UInt8]
    var name: String { stem + ".txt" }
  }

  private let root: String
  private let clock: ManualClock
  private let store: LocalStore
  private let client: LightfieldClient
  private let keys = Atomic(0)
  private let waits = Mutex<[Duration]>([])

  /// Builds a road, has `body` travel it, and removes it.
  ///
  /// - Parameter patience: how long a stalled exchange is waited for, in real time. Longer than anything takes that
  ///   goes well on a busy machine, where a run must not meet further faults.
  static func with(
    _ files: [File], patience: Duration = .seconds(3), faults decide: @escaping FaultProxy.Director,
    _ body: (FaultyRoad) async throws -> Void
  ) async throws {
    let root = NSTemporaryDirectory() + "/moontide-faults-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: root) }
    try FileManager.default.createDirectory(atPath: root + "/in", withIntermediateDirectories: true)
    for file in files { try Data(file.bytes).write(to: URL(filePath: "\(root)/in/\(file.name)")) }
    let clock = ManualClock()
    let store = try await LocalStore.open(root + "/service", clock: clock.wallClock)
    let caller = Caller.admin
    let key = try await store.createKey(
      name: "faults", organisation: caller.organisation, subject: caller.subject, isAdmin: caller.isAdmin
    ).key
    try await Loopback.with(store, clock: clock) { server in
      let proxy = try await FaultProxy.start(before: server.port, decide: decide)
      var configuration = LightfieldClient.Configuration(baseURL: "http://127.0.0.1:\(proxy.port)")
      configuration.answerTimeout = patience
      configuration.stallTimeout = patience
      let client = try LightfieldClient(
        key: key, configuration: configuration, pacer: Pacer(clock: .skipping), clock: clock.wallClock)
      let ended: Result<Void, any Error>
      do {
        ended = .success(try await body(FaultyRoad(root, clock, store, client)))
      } catch {
        ended = .failure(error)
      }
      await client.shutdown()
      await proxy.stop()
      try ended.get()
    }
  }

  private init(_ root: String, _ clock: ManualClock, _ store: LocalStore, _ client: LightfieldClient) {
    self.root = root
    self.clock = clock
    self.store = store
    self.client = client
  }

  /// The waits before retries so far.
  var retryWaits: [Duration] { waits.withLock { $0 } }

  /// Runs the engine once, as `moontide run` does.
  func run(transfers: Int = 1) async throws -> RunSummary {
    let ledger = try SQLiteLedger(directory: root, clock: clock.wallClock)
    let recipe = FolderRecipe()
    let engine = Engine(
      recipe: recipe, profile: "lightfield", service: client, ledger: ledger,
      workspace: try Workspace(root: root), types: MIMETypes(),
      seat: Gate(places: transfers).join(recipe.name),
      retry: Retrier(
        policy: .standard,
        sleep: { [clock, self] wait in
          self.waits.withLock { $0.append(wait) }
          clock.advance(wait)
        }),
      clock: clock.wallClock, newKey: { [self] in "key-\(keys.add(1, ordering: .relaxed).newValue)" },
      report: { _ in })
    return await engine.run()
  }

  /// Runs until everything is done, as often as a service manager would start it again; nil when that never ends.
  func runUntilDone(transfers: Int = 1, atMost limit: Int = 40) async throws -> RunSummary? {
    for _ in 0..<limit {
      let summary = try await run(transfers: transfers)
      if summary.stop == nil { return summary }
    }
    return nil
  }

  /// What is wrong with what arrived; empty when each file was completed exactly once, with its bytes, and no
  /// session is left open.
  func faults(of files: [File]) async throws -> [String] {
    let service = store.service(for: .admin)
    var sessions: [FileSession] = []
    while true {
      let page = try await service.list(limit: nil, offset: sessions.count)
      if page.data.isEmpty { break }
      sessions += page.data
    }
    var faults = sessions.filter { $0.status == .pending }.map { "\($0.filename) is left PENDING" }
    let completed = sessions.filter { $0.status == .completed }
    for file in files {
      let own = completed.filter { $0.filename.hasPrefix(file.stem) }
      if own.count != 1 { faults.append("\(file.name) was completed \(own.count) times") }
      for session in own where try await service.bytes(of: session.id) != file.bytes {
        faults.append("\(file.name) has other bytes")
      }
    }
    if completed.count > files.count { faults.append("\(completed.count) files were completed") }
    return faults
  }
}
