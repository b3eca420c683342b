import FoundationEssentials
import Glibc
import Ingestion
import LuaHost
import LuaLibrary
import ScriptTestSupport
import Scripting
import Testing
import Workspace

/// What recipes declare, and what they may then.
@Suite struct PermissionTests {
  private let bench: Bench
  private let outside: Project

  init() throws {
    bench = try Bench()
    outside = try Project()
    try outside.write("in.txt", "from outside")
  }

  private func context() -> LibraryContext {
    // No timeout comes before what is waited for.
    var context = bench.surroundings.context(
      permissions: .recipe, sleep: { _ in try await Task.sleep(for: .seconds(3600)) })
    context.environment = ScriptEnvironment(["HOOK": "value", "PATH": "/usr/bin:/bin"])
    return context
  }

  /// The recipe in the project's directory `recipes`, with the permissions that are trusted or not.
  private func recipe(
    _ text: String, trusting: Bool, limits: LuaLimits = .standard,
    meanwhile: @escaping @Sendable (RecipeRequest) -> Void = { _ in }
  ) async throws -> LuaRecipe {
    try bench.project.write("recipes/r.lua", text)
    let base = PathBase(directory: bench.project.path)
    return try await LuaRecipe.load(
      path: bench.project.path + "/recipes/r.lua", context: context(), limits: limits,
      permit: { request in
        meanwhile(request)
        let resolved = PermissionDeclaration(request.declared.wanted.resolved(base))
        return Permissions(
          script: "recipes/r.lua", declared: request.declared, trusted: trusting ? resolved : nil,
          project: base)
      })
  }

  private func request(_ text: String, _ arguments: ScriptArguments = .named([:])) async throws
    -> RecipeRequest
  {
    try bench.project.write("recipes/r.lua", text)
    var context = context()
    context.arguments = arguments
    return try await RecipeRequest.read(
      ScriptSource.read(bench.project.path + "/recipes/r.lua"), context: context)
  }

  private func ruling(_ recipe: LuaRecipe, _ path: String = "a.md") async throws -> Ruling {
    try bench.project.write(path)
    let ruling = await recipe.decide([try bench.candidate(path)])[0]
    await recipe.close()
    return ruling
  }

  private func message(_ ruling: Ruling) -> String {
    if case .fault(let failure) = ruling { failure.message } else { "no fault, but \(ruling)" }
  }

  @Test(
    "What is declared is denied, with the flag and `moontide trust`, until it is granted",
    arguments: [
      ("read = '$'", "moontide.fs.read('$/in.txt')", "--allow-read=$/in.txt"),
      ("write = '$'", "moontide.fs.write('$/out.txt', '')", "--allow-write=$/out.txt"),
      ("net = 'localhost:1'", "moontide.http.get('http://localhost:1/')", "--allow-net=localhost:1"),
      ("env = { 'HOOK' }", "assert(moontide.env.HOOK == 'value')", "--allow-env=HOOK"),
      ("run = 'true'", "assert(moontide.process.run({ 'true' }).status == 0)", "--allow-run=true"),
      ("service = 'files:read'", "moontide.files.list()", "--allow-service=files:read"),
    ])
  func declared(declaration: String, call: String, flag: String) async throws {
    let place = { (text: String) in text.replacing("$", with: outside.path) }
    let text = place(wrap("permissions = { \(declaration) }, accept = function() \(call) return true end"))
    let denied = message(try await ruling(recipe(text, trusting: false)))
    #expect(
      denied.contains(
        "declared, not granted; allow it with \(place(flag)), or with moontide trust recipes/r.lua"),
      "\(denied)")

    let granted = try await ruling(recipe(text, trusting: true))
    // There is no network here, which is said once it is permitted.
    let isPermitted = granted == .send(Wishes()) || message(granted).contains("there is no network here")
    #expect(isPermitted, "\(granted)")

    let undeclared = place(wrap("accept = function() \(call) return true end"))
    let message = message(try await ruling(recipe(undeclared, trusting: true)))
    #expect(
      message.contains("; allow it with \(place(flag))") && !message.contains("moontide trust"), "\(message)")
  }

  @Test("A variable may be read while the recipe loads, once it is granted, and tells nothing before")
  func whileLoading() async throws {
    let text = """
      local hook = moontide.env.HOOK .. "!"
      print("loading with " .. hook)
      return { name = "r", discover = "**", permissions = { env = "HOOK" }, rename = function() return hook end }
      """
    let error = await #expect(throws: ScriptError.self) { try await recipe(text, trusting: false) }
    #expect(error?.message.contains("moontide trust recipes/r.lua") == true)
    #expect(bench.log.isEmpty)
    #expect(try await ruling(recipe(text, trusting: true)) == .send(Wishes(filename: "value!")))
    #expect(bench.log == ["info: loading with value!"])
  }

  @Test("A recipe that does not load says so as ever, with what it logged before")
  func unloadable() async throws {
    let error = await #expect(throws: ScriptError.self) {
      try await recipe("print('here') error('no')", trusting: true)
    }
    #expect(error?.message.hasPrefix("r.lua:1: no") == true)
    #expect(bench.log == ["info: here"])
    let denied = await #expect(throws: ScriptError.self) {
      try await recipe("return { name = moontide.env.HOOK, discover = 1 }", trusting: true)
    }
    #expect(denied?.message.contains("allow it with --allow-env=HOOK") == true)
  }

  @Test("A module that is swapped after it was asked about is loaded as it was")
  func swapped() async throws {
    try bench.project.write("lib/tool.lua", "return 'good'")
    let project = bench.project
    let text =
      "local tool = require 'tool' return { name = 'r', discover = '**', permissions = { env = 'HOOK' },"
      + " rename = function() return tool .. require 'tool' .. moontide.env.HOOK end }"
    let recipe = try await recipe(text, trusting: true) { _ in
      _ = try? project.write("lib/tool.lua", "return 'evil'")
      _ = try? project.write("recipes/tool.lua", "return 'evil'")
      _ = try? project.write("recipes/r.lua", "return {}")
    }
    #expect(try await ruling(recipe) == .send(Wishes(filename: "goodgoodvalue")))
  }

  @Test("A module that was not asked about is not loaded, at whatever time it is required")
  func unasked() async throws {
    try bench.project.write("lib/tool.lua", "return 'evil'")
    let text = """
      if moontide.env.HOOK == "value" then require "tool" end
      return { name = "r", discover = "**", permissions = { env = "HOOK" } }
      """
    let error = await #expect(throws: ScriptError.self) { try await recipe(text, trusting: true) }
    #expect(
      error?.message.contains("in a handler, or in some cases only") == true, "\(String(describing: error))")
  }

  @Test("A fingerprint is that of the script and what it requires, whatever else lies there")
  func fingerprint() async throws {
    let text = "require 'tool' return { name = 'r', discover = '*', permissions = { net = 'a.example' } }"
    try bench.project.write("lib/tool.lua", "return 1")
    let first = try await request(text)
    #expect(first.modules == ["tool (lib/tool.lua)"])
    #expect(first.declared.wanted.lines == ["net: a.example"])
    try bench.project.write("recipes/other.lua", "return 1")
    #expect(try await request(text, .named(["a": "b"])).fingerprint == first.fingerprint)

    #expect(try await request(text + " ").fingerprint != first.fingerprint)
    try bench.project.write("lib/tool.lua", "return 2")
    #expect(try await request(text).fingerprint != first.fingerprint)
    try bench.project.write("lib/tool.lua", "return 1")
    #expect(try await request(text).fingerprint == first.fingerprint)
    // The same bytes in a nearer place are another module.
    try bench.project.write("recipes/tool.lua", "return 1")
    #expect(try await request(text).fingerprint != first.fingerprint)
  }

  @Test("A fresh state after one that ran out of memory may what the first one did")
  func freshState() async throws {
    let recipe = try await recipe(
      wrap(
        """
        permissions = { env = "HOOK" },
        rename = function(f)
          if f.stem == "bad" then kept = {} for i = 1, 1e9 do kept[i] = { i } end end
          return moontide.env.HOOK
        end
        """), trusting: true, limits: LuaLimits(memory: 8 << 20))
    var rulings: [Ruling] = []
    for path in ["bad.md", "good.md"] {
      try bench.project.write(path)
      rulings += await recipe.decide([try bench.candidate(path)])
    }
    await recipe.close()
    #expect(message(rulings[0]).contains("memory"))
    #expect(rulings[1] == .send(Wishes(filename: "value")))
  }

  @Test("A recipe that is granted more is another version, so that what was denied is asked about again")
  func version() async throws {
    let text = wrap("permissions = { env = 'HOOK' }")
    var versions: [String] = []
    for trusting in [false, true, true] {
      let recipe = try await recipe(text, trusting: trusting)
      versions.append(recipe.version)
      await recipe.close()
    }
    #expect(versions[0] != versions[1] && versions[1] == versions[2])
  }

  @Test("Each example recipe loads")
  func examples() async throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let directory = tests.deletingLastPathComponent().path + "/scripts/recipes"
    let names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".lua") }
    #expect(names.count >= 5)
    for name in names {
      let request = try await RecipeRequest.read(
        ScriptSource.read(directory + "/" + name), context: bench.surroundings.context())
      #expect(request.declared.isEmpty == !["notify.lua", "transcripts.lua"].contains(name), "\(name)")
    }
  }
}
