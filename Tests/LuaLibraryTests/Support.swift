import LuaHost
import LuaLibrary
import ScriptTestSupport
import Testing

extension Surroundings {
  /// Runs a source as a plain script and gives what it returned.
  func run(
    _ source: String, permissions: Permissions = .project, _ arguments: ScriptArguments = .list([])
  ) async throws -> [LuaValue] {
    let script = try LuaScript(LuaLibrary.configuration(context(arguments, permissions: permissions)))
    let values: [LuaValue]
    do {
      values = try await script.load(source: source, name: "t.lua")
    } catch {
      await script.close()
      throw error
    }
    await script.close()
    return values
  }

  /// The message of the error with which a source ends.
  func message(
    _ source: String, permissions: Permissions = .project, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> String {
    do {
      let values = try await run(source, permissions: permissions)
      Issue.record("no error, but \(values)", sourceLocation: sourceLocation)
      return ""
    } catch let error as LuaError {
      return error.message
    }
  }
}

/// Runs a source in surroundings of its own.
func run(_ source: String, _ arguments: ScriptArguments = .list([])) async throws -> [LuaValue] {
  try await Surroundings().run(source, arguments)
}
