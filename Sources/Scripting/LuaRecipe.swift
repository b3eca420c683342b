import FileSessions
import Ingestion
import LuaHost
import LuaLibrary
import Workspace

/// A recipe written in Lua, as the engine asks it.
///
/// It has a Lua state and a thread of its own, until it is closed. A state that ran out of memory is left for a
/// new one.
package final class LuaRecipe: Recipe, Sendable {
  package let name: String
  package let version: String
  package let deciders: String?
  let origin: RecipeOrigin
  let states: RecipeStates
  let once: OnceCalls
  /// Whether the recipe has `completed`, `failed` and `status`.
  package let handlesCompleted: Bool
  package let handlesFailed: Bool
  package let handlesStatus: Bool

  package let changed: ChangePolicy
  package let sendsContentOnce: Bool
  package let retries: RetryPolicy?
  package let settling: Settling
  package let rediscovery: Duration?
  package let prepares: Bool
  package let concurrency: Int?
  package let order: CandidateOrder?

  var source: ScriptSource { origin.source }
  var context: LibraryContext { origin.context }

  private let stops = Quarantine()
  private let observer: HandlerObserver?

  package var quarantine: String? { stops.reason }

  /// Loads a recipe's file and checks what it returned; nothing but its own body has run then.
  ///
  /// - Parameters:
  ///   - path: the file, as the user named it.
  ///   - context: what the script works with; its `script` is replaced by the file's name.
  ///   - limits: what each call of a handler may use; the recipe's own `limits` lower it.
  ///   - once: where the results of `file:once` are kept.
  ///   - permit: says what the recipe may, once it is known what it asks for; nil: what `context` permits. The
  ///     recipe is then loaded anew from the same bytes, and no module is loaded that was not asked about.
  package static func load(
    path: String, context: LibraryContext, limits: LuaLimits = .standard,
    once: OnceRecord = .inMemory(), permit: RecipeRequest.Permit? = nil
  ) async throws(ScriptError) -> LuaRecipe {
    try await load(ScriptSource.read(path), context: context, limits: limits, once: once, permit: permit)
  }

  /// Loads a recipe from its text.
  package static func load(
    _ source: ScriptSource, context: LibraryContext, limits: LuaLimits = .standard,
    once: OnceRecord = .inMemory(), permit: RecipeRequest.Permit? = nil
  ) async throws(ScriptError) -> LuaRecipe {
    var origin = RecipeOrigin(source, context: context, ceiling: limits)
    if let permit { origin.context.permissions = await permit(try await origin.request()) }
    return LuaRecipe(origin, try await origin.makeState(), OnceCalls(once))
  }

  private init(_ origin: RecipeOrigin, _ state: RecipeState, _ once: OnceCalls) {
    self.once = once
    self.origin = origin
    observer = origin.context.observer
    states = RecipeStates(state)
    name = state.plan.name
    let deciders = state.plan.decidingKeys.compactMap { state.plan.deciders[$0] }
    self.deciders = deciders.isEmpty ? nil : deciders.joined(separator: ", ")
    changed = state.plan.changed
    sendsContentOnce = state.plan.sendsContentOnce
    retries = state.plan.retries
    settling = state.plan.settling
    rediscovery = state.plan.rediscovery
    prepares = state.plan.prepare != nil
    concurrency = state.plan.concurrency
    order = state.plan.order
    handlesCompleted = !state.plan.completed.isAbsent
    handlesFailed = !state.plan.failed.isAbsent
    handlesStatus = state.plan.status != nil
    let arguments: [String: String] =
      switch origin.context.arguments {
      case .named(let named): named
      case .list: [:]
      }
    version = origin.source.version(
      arguments: arguments, modules: origin.modules.sources,
      scope: origin.context.permissions.grants + (origin.ceiling == .standard ? [] : ["\(origin.ceiling)"]))
  }

  /// The texts that the recipe consists of, by their names: the script and the modules that it required.
  package var texts: [String: [UInt8]] {
    origin.modules.sources.merging([source.name: source.bytes]) { _, script in script }
  }

  /// The files of the modules that it required, as absolute paths.
  package var moduleFiles: [String] { origin.modules.files }

  /// Notes how a call of the script ended.
  func note(_ failure: Failure?) {
    if let failure, failure.kind == .stopped {
      stops.stopped(failure, recipe: name)
    } else {
      stops.passed()
    }
  }

  /// When a handler begins, where somebody wants to know how long it takes.
  var beginning: Duration? { observer?.now() }

  /// Tells how long a handler took that began at `begin`.
  ///
  /// - Parameter fault: what it ended with, if it did not end well.
  func observe(_ key: RecipeKey, since begin: Duration?, _ fault: HandlerFault? = nil) {
    guard let begin, let observer else { return }
    let wasStopped =
      switch fault {
      case .failure(let failure): failure.kind == .stopped
      case .outOfMemory: true
      case .cancelled, .unknown, nil: false
      }
    observer.end(key.rawValue, since: begin, wasStopped: wasStopped)
  }

  /// Ends the recipe's Lua states; handlers that wait are cancelled.
  package func close() async {
    await states.close()
  }
}
