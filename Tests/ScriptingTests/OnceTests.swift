import Ingestion
import LuaLibrary
import ScriptTestSupport
import Scripting
import Testing

@Suite struct OnceTests {
  private let bench: Bench

  init() throws { bench = try Bench() }

  @Test("What a function gave is recorded once, nil too, and lasts longer than the recipe")
  func recorded() async throws {
    let record = OnceRecord.inMemory()
    let text = wrap(
      """
      accept = function(f)
        local table = f:once("table", function() print("table") moontide.sleep(1) return { n = { 1, "x" } } end)
        local none = f:once("none", function() print("none") end)
        print(table.n[1], table.n[2], none)
        return true
      end
      """)
    try bench.project.write("a.md")
    for _ in 0..<2 {
      let recipe = try await LuaRecipe.load(
        ScriptSource(name: "r.lua", text: text), context: bench.surroundings.context(), once: record)
      #expect(await recipe.decide([try bench.candidate("a.md")]) == [.send(Wishes())])
      await recipe.close()
    }
    #expect(bench.log == ["info: table", "info: none", "info: 1\tx\tnil", "info: 1\tx\tnil"])
  }

  @Test("Two calls at once with one label run the function once; another file runs its own")
  func together() async throws {
    let recipe = try await bench.recipe(
      wrap(
        """
        accept = function(f)
          local function work() print("ran") moontide.sleep(1) return f.name end
          local a, b = moontide.all { function() return f:once("a", work) end, function() return f:once("a", work) end }
          return a == f.name and b == f.name
        end
        """))
    try bench.project.write("a.md")
    try bench.project.write("b.md")
    let rulings = await recipe.decide([try bench.candidate("a.md"), try bench.candidate("b.md")])
    #expect(rulings == [.send(Wishes()), .send(Wishes())])
    #expect(bench.log == ["info: ran", "info: ran"])
    await recipe.close()
  }

  @Test(
    "What cannot be recorded is an error, and nothing is recorded",
    arguments: [
      ("f:once('', print)", "a label has 1 to 100 characters, this one has 0"),
      ("f:once(('x'):rep(101), print)", "a label has 1 to 100 characters, this one has 101"),
      ("f:once('a', function() return print end)", "function"),
      ("f:once('a', function() error('no luck') end)", "no luck"),
      ("f:once('a', function() return f:once('a', print) end)", "asks for its own result"),
      ("f:once('a', 5)", "function wanted, got number 5"),
    ])
  func mistakes(call: String, problem: String) async throws {
    let failure = try await bench.fault(
      """
      accept = function(f)
        local ok, message = pcall(function() \(call) end)
        f:once("a", function() print("ran") end)
        error(message, 0)
      end
      """)
    #expect(failure.message.contains(problem), "\(failure.message)")
    #expect(bench.log == ["info: ran"])
  }
}
