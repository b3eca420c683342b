import FileSessions
import Foundation
import Ingestion
import LuaHTTP
import LuaLibrary
import SQLiteLedger
import Scripting
import Workspace

/// Where the parts meet: what scripts work with, and the engine that runs them.
struct Bench: Sendable {
  let workspace: Workspace
  let destination: Destination
  let ledger: SQLiteLedger
  let display: Display
  /// What counts how handlers fare.
  let metrics: RunMetrics?
  /// In which order candidates are taken, whatever their recipe says.
  var order: CandidateOrder?
  /// How fast scripts' own uploads are sent, together with the engine's.
  var throttle: Throttle?
  private let types = MIMETypes()
  /// What scripts' requests go through.
  private let web = HTTPClientTransport()

  init(
    workspace: Workspace, destination: Destination, ledger: SQLiteLedger, display: Display,
    metrics: RunMetrics? = nil
  ) {
    self.workspace = workspace
    self.destination = destination
    self.ledger = ledger
    self.display = display
    self.metrics = metrics
  }

  static let sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  static let newKey: @Sendable () -> String = { UUID().uuidString.lowercased() }
  static let retry = Retrier(policy: .standard, sleep: sleep)

  /// What a script works with. Sessions that a plain script opens are recorded, since no engine finishes them.
  func context(for script: String, arguments: ScriptArguments) async -> LibraryContext {
    let (ledger, profile, display) = (ledger, destination.profile, display)
    let tracer = Tracer(workspace: workspace, ledger: ledger, profile: profile)
    let isRecipe = if case .named = arguments { true } else { false }
    let permissions = await authority.permissions(
      of: script, baseline: isRecipe ? .recipe : .plainScript(local: profile == ProfileCatalog.local))
    // A recipe's standard output is the list of events; a plain script's is its own.
    let output: (@Sendable (String) -> Void)? = isRecipe ? nil : { @Sendable line in say(line) }
    var context = LibraryContext(
      workspace: workspace, types: types,
      service: RetryingService(
        destination.service, retry: Self.retry, pace: { [throttle] in throttle?.source($0) ?? $0 }),
      permissions: permissions,
      arguments: arguments, environment: authority.scriptEnvironment,
      store: LedgerStore(values: RecipeValues(in: ledger, profile: profile, recipe: script.fileStem)),
      web: web, sleep: Self.sleep, newKey: Self.newKey,
      log: { display.show($0) },
      output: output,
      recordWrite: { path in try await tracer.record(path) },
      sessionOpened: { session in
        let record = ScriptSession(id: session.id, script: script, filename: session.filename)
        try await ledger.remember(record, profile: profile)
      })
    context.observer = metrics?.observer(of: script.fileStem)
    return context
  }

  /// Decides what scripts may.
  var authority: Authority {
    Authority(workspace: workspace, withheld: destination.withheld, note: display.note)
  }

  /// Closes the connections that scripts opened.
  func close() async {
    // Requests that are still under way end with it; what else could go wrong concerns nobody any more.
    try? await web.shutdown()
  }

  /// What `file:once` remembers.
  var once: OnceRecord {
    OnceRecord(
      recall: { [ledger] key, label in try await ledger.onceResult(of: key, label: label) },
      record: { [ledger] key, label, result in try await ledger.recordOnce(result, of: key, label: label) })
  }

  func engine(
    for recipe: LuaRecipe, seat: GateSeat, stop: StopSignal
  ) -> Engine {
    var engine = Engine(
      recipe: recipe, profile: destination.profile, service: destination.service, ledger: ledger,
      workspace: workspace, types: types, seat: seat, order: order, retry: Self.retry,
      clock: .system, newKey: Self.newKey, stop: stop, patience: Self.sleep,
      report: { [display, name = recipe.name] event in display.show(event, of: name) })
    engine.keyHint = destination.access?.keyHint
    return engine
  }

  /// Notes where a recipe looks for files, so that `moontide why` can explain what it does not see.
  func remember(_ recipe: LuaRecipe, script: String) async throws(CommandFailure) {
    do {
      var walk: RecipeRecord.Walk?
      if case .walk(let settings) = try await recipe.discovery() {
        walk = RecipeRecord.Walk(settings, recipe.settling)
      }
      try await ledger.remember(
        recipe: recipe.name, script: script, walk: walk, profile: destination.profile)
    } catch let error as LedgerError {
      throw CommandFailure(.usage, error.message)
    } catch {
      throw CommandFailure(.script, (error as? Failure)?.message ?? "\(error)")
    }
  }

  /// The sessions that scripts opened and left open; those that have ended are forgotten.
  func pendingScriptSessions() async throws -> [ScriptSession] {
    var pending: [ScriptSession] = []
    for record in try await ledger.scriptSessions(profile: destination.profile) {
      do throws(ServiceError) {
        guard try await destination.service.retrieve(record.id).status.isFinal else {
          pending.append(record)
          continue
        }
      } catch {
        // Only what is known to have ended is forgotten.
        guard error.kind == .notFound else {
          pending.append(record)
          continue
        }
      }
      try await ledger.forget(scriptSession: record.id, profile: destination.profile)
    }
    return pending
  }
}

extension String {
  /// The name of a file without directory and extension: what a script is called in flags.
  var fileStem: String {
    let name = split(separator: "/").last.map(String.init) ?? self
    return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
  }
}
