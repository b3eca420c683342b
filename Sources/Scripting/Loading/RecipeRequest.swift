import LuaHost
import LuaLibrary
import Synchronization

/// What a recipe asks for, and what it is known by.
package struct RecipeRequest: Sendable {
  /// Says what a recipe may.
  package typealias Permit = @Sendable (RecipeRequest) async -> Permissions

  /// The script's file: `slack.lua`.
  package let script: String
  /// The modules that it required, sorted: `dates.iso (lib/dates/iso.lua)`.
  package let modules: [String]
  /// Of the script and these modules.
  package let fingerprint: ScriptFingerprint
  /// Its `permissions`.
  package let declared: PermissionDeclaration

  /// Reads what a recipe asks for; nothing but its own body has run then, and that acts on nothing.
  package static func read(
    _ source: ScriptSource, context: LibraryContext, limits: LuaLimits = .standard
  ) async throws(ScriptError) -> RecipeRequest {
    try await RecipeOrigin(source, context: context, ceiling: limits).request()
  }
}

extension RecipeOrigin {
  /// Loads the recipe for its `permissions` alone.
  ///
  /// A recipe may read variables of the environment while it loads, for which it asks in what it returns. Where
  /// that is denied it is loaded with an environment in which each variable is an empty text: that tells it
  /// nothing, and comes further than nil would.
  func request() async throws(ScriptError) -> RecipeRequest {
    let held = HeldLines()
    var first = self
    first.context.log = { held.add($0) }
    first.context.output = nil
    do {
      return try await first.loadedRequest()
    } catch {
      // What it says of itself is shown once: by the state that stays, or here when there will be none.
      if case .env? = error.denied, let request = try? await withoutEnvironment.loadedRequest() {
        return request
      }
      for line in held.lines { context.log(line) }
      throw error
    }
  }

  private var withoutEnvironment: RecipeOrigin {
    var origin = self
    origin.context.permissions = .loading
    origin.context.environment = .blank
    origin.context.log = { _ in }
    origin.context.output = nil
    return origin
  }

  private func loadedRequest() async throws(ScriptError) -> RecipeRequest {
    let state = try await makeState()
    await state.script.close()
    let sources = modules.sources
    var files = ["script \(source.name)": source.bytes]
    for (name, bytes) in sources { files["module \(name)"] = bytes }
    return RecipeRequest(
      script: source.name, modules: sources.keys.sorted(), fingerprint: ScriptFingerprint(files: files),
      declared: state.plan.permissions)
  }
}

/// Lines that are not shown yet.
private final class HeldLines: Sendable {
  private let state = Mutex<[LogLine]>([])

  var lines: [LogLine] { state.withLock { $0 } }

  func add(_ line: LogLine) { state.withLock { $0.append(line) } }
}
