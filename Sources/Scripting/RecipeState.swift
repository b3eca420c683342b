import LuaHost
import LuaLibrary

/// What a recipe's states are made from: always the same bytes.
struct RecipeOrigin: Sendable {
  let source: ScriptSource
  var context: LibraryContext
  /// What the recipe may lower.
  let ceiling: LuaLimits
  let modules: ModuleFinder

  init(_ source: ScriptSource, context: LibraryContext, ceiling: LuaLimits) {
    self.source = source
    self.context = context
    self.context.script = source.name
    self.ceiling = ceiling
    modules = ModuleFinder(beside: source.directory, in: context.workspace)
  }

  /// Makes a Lua state, loads the script in it and checks what it returned.
  func makeState() async throws(ScriptError) -> RecipeState {
    let script: LuaScript
    do {
      var configuration = LuaLibrary.configuration(
        context, limits: ceiling, additions: [Verdict.module, RetryWish.module])
      configuration.require = { [modules] name in try await modules.find(name) }
      script = try LuaScript(configuration)
    } catch {
      throw ScriptError(error, in: source)
    }
    do {
      let helpers = try await ScriptHelpers(script)
      let returned = try await script.load(source: source.bytes, name: source.name, mode: .recipe)
      let reader = try RecipeReader(returned, of: source, in: context.workspace)
      var plan = try reader.plan(below: ceiling)
      for (key, function) in reader.functions {
        plan.definitions[key] = await script.definition(of: function)
      }
      for key in plan.decidingKeys { plan.deciders[key] = source.decider(key, plan.definitions[key]) }
      await script.setLimits(plan.limits)
      modules.seal()
      return RecipeState(script: script, plan: plan, helpers: helpers)
    } catch {
      await script.close()
      throw (error as? ScriptError) ?? ScriptError(error, in: source)
    }
  }
}

extension ScriptSource {
  /// A handler with the place where it is defined, or its key set: `accept (notes.lua:7)`.
  fileprivate func decider(_ key: RecipeKey, _ definition: LuaDefinition?) -> String {
    if let definition { return "\(key.rawValue) (\(definition.script):\(definition.line))" }
    return "\(key.rawValue) (\(name)\(place(ofKey: key.rawValue).map { ":\($0.line)" } ?? ""))"
  }
}

/// A Lua state in which a recipe has been loaded.
///
/// Its functions are of no use in another one. The state ends when it is closed, or with the last reference to
/// it: a recipe that goes on in another state leaves this one to the calls that are still in it.
final class RecipeState: Sendable {
  let script: LuaScript
  let plan: RecipePlan
  let helpers: ScriptHelpers

  init(script: LuaScript, plan: RecipePlan, helpers: ScriptHelpers) {
    self.script = script
    self.plan = plan
    self.helpers = helpers
  }
}

/// Functions of the host's own that are written in Lua.
struct ScriptHelpers: Sendable {
  /// Makes the function that a `for` over a file's lines calls.
  let lines: LuaFunction
  /// Makes the function that gives page after page of what `discover` names.
  let pages: LuaFunction
  /// Gives what a function returns as JSON.
  let once: LuaFunction

  init(_ script: LuaScript) async throws {
    lines = try await Self.function(of: LineIterator.source, in: script)
    once = try await Self.function(of: OnceHelper.source, in: script)
    pages = try await Self.function(of: PathPages.source, in: script)
  }

  /// The function that a chunk returns.
  private static func function(of source: String, in script: LuaScript) async throws -> LuaFunction {
    guard
      let function = try await script.load(source: source, name: "moontide", mode: .host).first?.function
    else {
      throw LuaError(code: .failed, message: "a chunk of the host gave no function")
    }
    return function
  }
}
