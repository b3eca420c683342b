import FoundationEssentials
import Ingestion
import LuaLibrary
import ScriptTestSupport
import Scripting
import Testing

@Suite struct ModuleTests {
  private let bench: Bench

  init() throws { bench = try Bench() }

  /// A recipe that lies in the project's directory `recipes`.
  private func recipe(_ text: String) async throws -> LuaRecipe {
    try bench.project.write("recipes/r.lua", text)
    return try await LuaRecipe.load(
      path: bench.project.path + "/recipes/r.lua", context: bench.surroundings.context())
  }

  /// What a recipe with these lines before its table fails to load with.
  private func problem(_ lines: String) async throws -> String {
    do {
      await (try await recipe("\(lines)\nreturn { name = 'r', discover = '*' }")).close()
      Issue.record("it loaded")
      return ""
    } catch let error as ScriptError {
      return error.message
    }
  }

  @Test("A module is found beside the script, then in the project's lib, as a file or as a directory's init")
  func found() async throws {
    try bench.project.write("recipes/near.lua", "return 'near'")
    try bench.project.write("lib/near.lua", "return 'far'")
    try bench.project.write("lib/dates/iso.lua", "return 'iso'")
    try bench.project.write("lib/tools/init.lua", "return 'tools'")
    let recipe = try await recipe(
      """
      local parts = { require "near", require "dates.iso", require "tools" }
      return { name = "r", discover = "**", rename = function() return table.concat(parts, "-") .. require "near" end }
      """)
    let path = try bench.project.write("a.md")
    #expect(
      await recipe.decide([try bench.candidate(path.string)]) == [
        .send(Wishes(filename: "near-iso-toolsnear"))
      ])
    #expect(
      recipe.texts.keys.sorted() == [
        "dates.iso (lib/dates/iso.lua)", "near (near.lua)", "r.lua", "tools (lib/tools/init.lua)",
      ])
    await recipe.close()
  }

  @Test("A changed module is another version")
  func version() async throws {
    let text = "local a = require 'a' return { name = 'r', discover = '*' }"
    try bench.project.write("lib/a.lua", "return 1")
    let first = try await recipe(text)
    try bench.project.write("lib/a.lua", "return 2")
    let second = try await recipe(text)
    #expect(first.version != second.version)
    await first.close()
    await second.close()
  }

  @Test(
    "Names that lead elsewhere are refused",
    arguments: ["../secret", "/etc/passwd", "a/b", "..secret", "a..b", "", ".", "a.\\0b", "~/x", "a\\\\b"])
  func names(name: String) async throws {
    try bench.project.write("secret.lua", "return 1")
    #expect(try await problem("require '\(name)'").contains("is no module's name"))
  }

  @Test("Neither the project's top nor a link that leads out is looked at")
  func outside() async throws {
    try bench.project.write("top.lua", "return 1")
    #expect(
      try await problem("require 'top'").contains(
        "there is no module \"top\": neither top.lua nor top/init.lua"))
    let other = try Project()
    try other.write("out.lua", "return 1")
    try FileManager.default.createSymbolicLink(
      atPath: bench.project.path + "/recipes/out.lua", withDestinationPath: other.path + "/out.lua")
    #expect(try await problem("require 'out'").contains("outside"))
  }

  @Test("A handler requires no module that the recipe did not, and a module does no I/O while a recipe loads")
  func late() async throws {
    try bench.project.write("lib/a.lua", "return moontide.fs.read('x')")
    #expect(try await problem("require 'a'").contains("I/O while a recipe loads: move it into a handler"))
    let recipe = try await recipe(
      "return { name = 'r', discover = '**', accept = function() require 'a' return true end }")
    let path = try bench.project.write("a.md")
    guard case .fault(let failure) = await recipe.decide([try bench.candidate(path.string)])[0] else {
      Issue.record("no fault")
      return
    }
    #expect(
      failure.message.contains(
        "require it at the top of the recipe, so that a changed module is noticed"), "\(failure.message)")
    await recipe.close()
  }

  @Test("A plain script's module may wait, and several things are waited for at once")
  func script() async throws {
    try bench.project.write("x.txt", "hello")
    try bench.project.write("lib/a.lua", "return moontide.fs.read('x.txt')")
    try await ScriptRunner.run(
      ScriptSource(
        name: "s.lua",
        text: """
          local a, two = moontide.all { function() return require "a" end, function() moontide.sleep(1) return 2 end }
          print(a, two)
          print(moontide.timeout(5, function() return "in time" end))
          """), arguments: [],
      context: bench.surroundings.context(sleep: { duration in
        if duration > .seconds(2) { try await Task.sleep(for: .seconds(3600)) }
      }))
    #expect(bench.log == ["info: hello\t2", "info: in time"])
  }
}
