import LuaHost
import LuaLibrary

/// Runs plain scripts, from top to bottom; they may wait anywhere.
package enum ScriptRunner {
  /// Runs a script's file and ends its Lua state.
  ///
  /// - Parameters:
  ///   - path: the file, as the user named it.
  ///   - arguments: what the script sees as `moontide.args` and as `...`.
  ///   - context: what the script works with; its `script` and `arguments` are replaced.
  ///   - limits: what the whole script may use.
  /// - Throws: `ScriptError`, also `cancelled` when the task was.
  package static func run(
    path: String, arguments: [String], context: LibraryContext, limits: LuaLimits = .standard
  ) async throws(ScriptError) {
    try await run(ScriptSource.read(path), arguments: arguments, context: context, limits: limits)
  }

  /// Runs a script's text.
  package static func run(
    _ source: ScriptSource, arguments: [String], context: LibraryContext, limits: LuaLimits = .standard
  ) async throws(ScriptError) {
    var context = context
    context.script = source.name
    context.arguments = .list(arguments)
    let script: LuaScript
    do {
      script = try LuaScript(LuaLibrary.configuration(context, limits: limits))
    } catch {
      throw ScriptError(error, in: source)
    }
    let ended: Result<Void, ScriptError>
    do {
      _ = try await script.load(
        source: source.bytes, name: source.name, mode: .script,
        arguments: arguments.map { .string($0) })
      ended = .success(())
    } catch {
      ended = .failure(ScriptError(error, in: source))
    }
    await script.close()
    try ended.get()
  }
}
