import FileSessions
import Ingestion
import LuaHost
import LuaLibrary
import Workspace

/// A recipe written in Lua, as the engine asks it.
///
/// It has a Lua state and a thread of its own, until it is closed.
package final class LuaRecipe: Recipe, Sendable {
  package let name: String
  package let version: String
  let plan: RecipePlan
  let source: ScriptSource
  let script: LuaScript
  let context: LibraryContext
  /// Makes the function that a `for` over a file's lines calls.
  let lines: LuaFunction
  /// Makes the function that gives page after page of what `discover` names.
  let pages: LuaFunction

  private let stops = Quarantine()

  package var quarantine: String? { stops.reason }

  package var handlesCompleted: Bool { !plan.completed.isAbsent }

  package var handlesFailed: Bool { !plan.failed.isAbsent }

  /// Loads a recipe's file and checks what it returned; nothing but its own body has run then.
  ///
  /// - Parameters:
  ///   - path: the file, as the user named it.
  ///   - context: what the script works with; its `script` is replaced by the file's name.
  ///   - limits: what each call of a handler may use.
  package static func load(
    path: String, context: LibraryContext, limits: LuaLimits = .standard
  ) async throws(ScriptError) -> LuaRecipe {
    try await load(ScriptSource.read(path), context: context, limits: limits)
  }

  /// Loads a recipe from its text.
  package static func load(
    _ source: ScriptSource, context: LibraryContext, limits: LuaLimits = .standard
  ) async throws(ScriptError) -> LuaRecipe {
    var context = context
    context.script = source.name
    let script: LuaScript
    do {
      script = try LuaScript(LuaLibrary.configuration(context, limits: limits, additions: [Verdict.module]))
    } catch {
      throw ScriptError(error, in: source)
    }
    do {
      return try await LuaRecipe(source, script: script, context: context)
    } catch {
      await script.close()
      throw (error as? ScriptError) ?? ScriptError(error, in: source)
    }
  }

  private init(_ source: ScriptSource, script: LuaScript, context: LibraryContext) async throws {
    self.source = source
    self.script = script
    self.context = context
    lines = try await script.function(of: LineIterator.source)
    pages = try await script.function(of: PathPages.source)
    let returned = try await script.load(source: source.bytes, name: source.name, mode: .recipe)
    plan = try RecipeReader(returned, of: source, in: context.workspace).plan()
    name = plan.name
    let arguments: [String: String] =
      switch context.arguments {
      case .named(let named): named
      case .list: [:]
      }
    version = source.version(arguments: arguments)
  }

  /// Notes how a call of the script ended.
  func note(_ failure: Failure?) {
    if let failure, failure.kind == .stopped {
      stops.stopped(failure, recipe: name)
    } else {
      stops.passed()
    }
  }

  /// Ends the recipe's Lua state; handlers that wait are cancelled.
  package func close() async {
    await script.close()
  }
}

extension LuaScript {
  /// The function that a chunk of the host's own returns.
  fileprivate func function(of source: String) async throws -> LuaFunction {
    guard let function = try await load(source: source, name: "moontide", mode: .recipe).first?.function
    else {
      throw LuaError(code: .failed, message: "a chunk of the host gave no function")
    }
    return function
  }
}
