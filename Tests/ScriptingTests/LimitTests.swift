import Ingestion
import LuaHost
import LuaLibrary
import ScriptTestSupport
import Scripting
import Testing

@Suite struct LimitTests {
  private let bench: Bench

  init() throws { bench = try Bench() }

  /// What a recipe that loops for ever on files called `bad…` says of these files, one page each.
  private func rulings(on names: [String]) async throws -> (rulings: [Ruling], quarantine: String?) {
    let recipe = try await LuaRecipe.load(
      ScriptSource(
        name: "r.lua",
        text: wrap("accept = function(f)\n  while f.stem:find('^bad') do end\n  return true\nend")),
      context: bench.surroundings.context(), limits: LuaLimits(instructions: 200_000))
    var rulings: [Ruling] = []
    for name in names {
      try bench.project.write(name)
      rulings += await recipe.decide([try bench.candidate(name)])
    }
    let quarantine = recipe.quarantine
    await recipe.close()
    return (rulings, quarantine)
  }

  @Test("A handler that breaks a limit fails its file with limit, handler, file and line; others go on")
  func stopped() async throws {
    let result = try await rulings(on: ["bad.md", "good.md"])
    guard case .fault(let failure) = result.rulings[0] else {
      Issue.record("\(result.rulings[0])")
      return
    }
    #expect(failure.kind == .stopped)
    #expect(
      failure.message.hasPrefix(
        "r.lua:3: in accept for bad.md: stopped: it ran more than 200000 instructions"))
    #expect(result.rulings[1] == .send(Wishes()))
    #expect(result.quarantine == nil)
  }

  @Test("Three stops in a row quarantine the recipe, two with a good file between them do not")
  func quarantine() async throws {
    let spared = try await rulings(on: ["bad1.md", "bad2.md", "good.md", "bad3.md", "bad4.md"])
    #expect(spared.quarantine == nil)
    let result = try await rulings(on: ["bad1.md", "bad2.md", "bad3.md", "good.md"])
    #expect(result.quarantine?.contains("stopped 3 times in a row") == true)
    #expect(result.rulings.last == .unasked)
  }
}
