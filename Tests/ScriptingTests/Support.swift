import Ingestion
import LuaLibrary
import ScriptTestSupport
import Scripting
import Testing
import Workspace

/// A recipe over a project, without engine, ledger or service.
struct Bench {
  let surroundings: Surroundings

  init() throws { surroundings = try Surroundings() }

  var project: Project { surroundings.project }
  var log: [String] { surroundings.log }

  func recipe(_ text: String, _ arguments: ScriptArguments = .named([:])) async throws(ScriptError)
    -> LuaRecipe
  {
    try await LuaRecipe.load(
      ScriptSource(name: "r.lua", text: text), context: surroundings.context(arguments))
  }

  /// The error with which a recipe does not load.
  func loadError(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) async -> ScriptError {
    do throws(ScriptError) {
      let recipe = try await recipe(text)
      await recipe.close()
    } catch {
      return error
    }
    Issue.record("the recipe loaded", sourceLocation: sourceLocation)
    return ScriptError(.failed, "")
  }

  func candidate(_ path: String, relative: String? = nil) throws -> Candidate {
    let path = try ProjectPath(path)
    let stamp = try project.workspace.info(path).stamp
    return Candidate(
      key: JobKey(profile: "local", recipe: "r", path: path), relative: relative ?? path.string, stamp: stamp)
  }

  /// What a recipe that has these lines says of a file that is made for it.
  func ruling(_ lines: String, of path: String = "notes/a b.md", _ text: String = "text\n") async throws
    -> Ruling
  {
    try project.write(path, text)
    let recipe = try await recipe(wrap(lines))
    let rulings = await recipe.decide([try candidate(path)])
    await recipe.close()
    return try #require(rulings.first)
  }

  /// The failure of the file that is made for a recipe with these lines.
  func fault(
    _ lines: String, of path: String = "notes/a b.md", sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> Failure {
    let ruling = try await ruling(lines, of: path)
    guard case .fault(let failure) = ruling else {
      Issue.record("no fault, but \(ruling)", sourceLocation: sourceLocation)
      return Failure(.script, "")
    }
    return failure
  }
}

extension Ruling {
  /// Which handler decided against it.
  var decider: String? {
    switch self {
    case .skip(_, let decider), .reject(_, let decider), .postpone(_, _, let decider): decider
    case .send, .sendParts, .fault, .unasked: nil
    }
  }

  /// The same, whoever decided.
  var anonymous: Ruling {
    switch self {
    case .skip(let reason, _): .skip(reason: reason)
    case .reject(let reason, _): .reject(reason: reason)
    case .postpone(let delay, let reason, _): .postpone(delay, reason: reason)
    case .send, .sendParts, .fault, .unasked: self
    }
  }
}

/// A recipe with a name and a discover, on the first line, and more lines.
func wrap(_ lines: String) -> String {
  "return { name = \"r\", discover = \"**\",\n\(lines)\n}"
}
