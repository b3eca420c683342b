import LuaHost
import Scripting
import Synchronization

/// Loads a recipe as the command line asks for it, as often as its files change.
struct RecipeLoader: Sendable {
  /// The file, as the user named it.
  let script: String
  let arguments: [String: String]
  let limits: LuaLimits
  let bench: Bench
  let names: RecipeNames

  /// Loads and checks the recipe as it is now, and notes where it looks for files.
  ///
  /// - Parameter replacing: Whether another version runs: then one that has lost that one's trust is refused.
  func load(replacing: Bool = false) async throws(CommandFailure) -> LuaRecipe {
    let (authority, script) = (bench.authority, script)
    let hasLostTrust = Mutex(false)
    let recipe = try await reportingScript { () async throws(ScriptError) in
      try await LuaRecipe.load(
        path: script, context: bench.context(for: script, arguments: .named(arguments)), limits: limits,
        once: bench.once,
        permit: { request in
          let isLost = await authority.hasLostTrust(script, request)
          hasLostTrust.withLock { $0 = isLost }
          return await authority.permissions(of: script, asking: request)
        })
    }
    do throws(CommandFailure) {
      if replacing, hasLostTrust.withLock({ $0 }) {
        throw CommandFailure(.script, "This version of \(script) is not trusted.")
      }
      try names.claim(recipe.name, for: script)
      try await bench.remember(recipe, script: script)
      return recipe
    } catch {
      await recipe.close()
      throw error
    }
  }
}
