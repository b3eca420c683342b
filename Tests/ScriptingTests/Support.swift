import FileSessions
import FoundationEssentials
import Ingestion
import LuaHost
import LuaLibrary
import Scripting
import Synchronization
import Testing
import Workspace

/// A project in a temporary directory, removed at the end.
final class Project: Sendable {
  let path: String
  let workspace: Workspace

  init() throws {
    path = "/tmp/moontide-scripting-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    workspace = try Workspace(root: path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ path: String, _ text: String = "text\n") throws -> ProjectPath {
    try write(path, bytes: Array(text.utf8))
  }

  @discardableResult
  func write(_ path: String, bytes: [UInt8]) throws -> ProjectPath {
    try workspace.write(ProjectPath(path), bytes).path
  }
}

/// What a script logged.
final class Logged: Sendable {
  private let state = Mutex<[LogLine]>([])
  var lines: [LogLine] { state.withLock { $0 } }
  var texts: [String] { lines.map { "\($0.level): \($0.text)" } }
  func add(_ line: LogLine) { state.withLock { $0.append(line) } }
}

/// A recipe over a project, without engine, ledger or service.
struct Bench {
  let project: Project
  let logged = Logged()
  let service: FakeService
  let types = MIMETypes()

  init() throws {
    project = try Project()
    service = FakeService()
  }

  func context(
    _ arguments: ScriptArguments = .named([:]),
    sleep: @escaping @Sendable (Duration) async throws -> Void = { _ in await Task.yield() }
  ) -> LibraryContext {
    let keys = Mutex(0)
    let box = KeyBox(keys)
    return LibraryContext(
      workspace: project.workspace, types: types, service: service, arguments: arguments, sleep: sleep,
      newKey: { box.next() }, log: { [logged] in logged.add($0) })
  }

  func recipe(_ text: String, _ arguments: ScriptArguments = .named([:])) async throws(ScriptError)
    -> LuaRecipe
  {
    try await LuaRecipe.load(ScriptSource(name: "r.lua", text: text), context: context(arguments))
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

private final class KeyBox: Sendable {
  private let count: Mutex<Int>
  init(_ count: consuming sending Mutex<Int>) { self.count = count }
  func next() -> String {
    count.withLock { count in
      count += 1
      return "key-\(count)"
    }
  }
}

/// A recipe with a name and a discover, on the first line, and more lines.
func wrap(_ lines: String) -> String {
  "return { name = \"r\", discover = \"**\",\n\(lines)\n}"
}
