import LuaHost
import LuaLibrary
import ScriptTestSupport
import Scripting
import Testing

@Suite struct LimitOptionTests {
  @Test(
    "A limit is a name and a value, with K, M and G for large ones",
    arguments: [
      ("seconds=60", LuaLimits(seconds: 60)), ("seconds=0.5", LuaLimits(seconds: 0.5)),
      ("memory=128M", LuaLimits(memory: 128 << 20)), ("memory=2g", LuaLimits(memory: 2 << 30)),
      ("memory=1048576", LuaLimits(memory: 1 << 20)), ("instructions=3M", LuaLimits(instructions: 3_000_000)),
      ("instructions=12", LuaLimits(instructions: 12)),
    ])
  func options(text: String, limits: LuaLimits) throws {
    #expect(LuaLimits.standard.with([try LimitOption(text)]) == limits)
  }

  @Test(
    "What is no limit says what it takes",
    arguments: [
      ("seconds", "a limit is written name=value, with a name of instructions, memory, seconds"),
      ("second=1", "there is no limit \"second\"; did you mean seconds?"),
      ("files=1", "there is no limit \"files\"; the limits are instructions, memory, seconds"),
      ("seconds=0", "seconds=0 is no limit; it takes a number of seconds above 0, such as 2.5"),
      ("memory=10K", "memory=10K is no limit; it takes a number of bytes, at least 1M, such as 128M"),
      ("memory=", "memory= is no limit; it takes a number of bytes, at least 1M, such as 128M"),
      ("instructions=nan", "instructions=nan is no limit; it takes a number of instructions, such as 200M"),
      ("seconds=1e3", "seconds=1e3 is no limit; it takes a number of seconds above 0, such as 2.5"),
    ])
  func problems(text: String, message: String) {
    #expect(throws: LimitOption.Problem.self) { try LimitOption(text) }
    do throws(LimitOption.Problem) { _ = try LimitOption(text) } catch { #expect(error.message == message) }
  }

  @Test("A recipe lowers its limits, and the message of a stop has them")
  func lowered() async throws {
    let failure = try await Bench().fault(
      "limits = { instructions = '100K', memory = '8M', seconds = 2 },\naccept = function() while true do end end",
      of: "a.md")
    #expect(failure.kind == .stopped)
    #expect(
      failure.message.hasPrefix("r.lua:3: in accept for a.md: stopped: it ran more than 100000 instructions"),
      "\(failure.message)")
  }

  @Test(
    "What is wrong with a recipe's limits is said",
    arguments: [
      (
        "limits = { seconds = 60 }",
        "r.lua:2: `limits` has seconds = 60, above the limit of 5; a recipe can only lower it, `--limit seconds=60` raises it"
      ),
      (
        "limits = { memory = '1G' }",
        "r.lua:2: `limits` has memory = 1G, above the limit of 64M; a recipe can only lower it, `--limit memory=1G` raises it"
      ),
      (
        "limits = { memory = 'much' }",
        "r.lua:2: `limits` has memory = a string (\"much\"); it takes a number of bytes, at least 1M, such as 128M"
      ),
      (
        "limits = { second = 1 }",
        "r.lua:2: `limits` is a table with the unknown field `second`; did you mean `seconds`?"
      ),
      (
        "limits = 5",
        "r.lua:2: `limits` is a number (5); it takes a table such as { instructions = 1000000, memory = \"32M\", seconds = 2 }"
      ),
    ])
  func mistakes(lines: String, message: String) async throws {
    #expect(try await Bench().loadError(wrap(lines)).message == message)
  }

  @Test("A ceiling that was raised lets the recipe have more")
  func raised() async throws {
    let recipe = try await LuaRecipe.load(
      ScriptSource(name: "r.lua", text: wrap("limits = { seconds = 60 }")),
      context: Bench().surroundings.context(), limits: LuaLimits.standard.with([LimitOption("seconds=60")]))
    await recipe.close()
  }
}
