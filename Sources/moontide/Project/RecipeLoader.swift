import LuaHost
import Scripting

/// Loads a recipe as the command line asks for it, as often as its files change.
struct RecipeLoader: Sendable {
  /// The file, as the user named it.
  let script: String
  let arguments: [String: String]
  let limits: LuaLimits
  let bench: Bench

  /// Loads and checks the recipe as it is now, and notes where it looks for files.
  func load() async throws(CommandFailure) -> LuaRecipe {
    let recipe = try await reportingScript { () async throws(ScriptError) in
      try await LuaRecipe.load(
        path: script, context: bench.context(for: script, arguments: .named(arguments)), limits: limits,
        once: bench.once)
    }
    try await bench.remember(recipe, script: script)
    return recipe
  }
}
