import LuaHost
import LuaLibrary
import ScriptTestSupport
import Scripting
import Testing

@Suite struct RunnerTests {
  private let bench: Bench

  init() throws { bench = try Bench() }

  private func run(_ text: String, _ arguments: [String] = []) async throws(ScriptError) {
    try await ScriptRunner.run(
      ScriptSource(name: "s.lua", text: text), arguments: arguments, context: bench.surroundings.context())
  }

  @Test("A plain script runs from top to bottom, waits where it likes, and has its arguments")
  func runs() async throws {
    try await run(
      """
      #!/usr/bin/env moontide exec
      local a, b = ...
      moontide.sleep(1)
      moontide.fs.write("out.txt", a .. moontide.args[2])
      for line in moontide.fs.lines("out.txt") do print(line, #moontide.args) end
      return 42
      """, ["x", "y z"])
    #expect(bench.log == ["info: xy z\t2"])
    #expect(bench.surroundings.logged.items.first?.script == "s.lua")
    #expect(try bench.project.read("out.txt") == "xy z")
  }

  @Test(
    "What goes wrong is reported with its line",
    arguments: [
      (
        "local x\n\nx.y = 1", ScriptError.Code.failed, "s.lua:3: attempt to index a nil value (local 'x')",
        "  3 | x.y = 1"
      ),
      ("x = = 1", .syntax, "s.lua:1: unexpected symbol near '='", "  1 | x = = 1"),
      (
        "print(1)\nmoontide.fs.read('no')", .failed, "s.lua:2: cannot read \"no\": No such file or directory",
        "  2 | moontide.fs.read('no')"
      ),
      ("for l in moontide.fs.lines('no') do end", .failed, "s.lua:1: cannot read \"no\"", "  1 | for l in"),
      ("error({ a = 1 })", .failed, "s.lua:1: ", "  1 | error"),
      ("moontide.skip('x')", .failed, "s.lua:1: moontide: there is no 'skip'", "  1 |"),
    ])
  func errors(text: String, code: ScriptError.Code, message: String, line: String) async throws {
    do throws(ScriptError) {
      try await run(text)
      Issue.record("no error")
    } catch {
      #expect(error.code == code)
      #expect(error.message.hasPrefix(message), "\(error.message)")
      #expect(error.report.hasPrefix(error.message + "\n" + line), "\(error.report)")
      #expect(!error.report.dropFirst(error.message.count).contains("moontide:"), "\(error.report)")
    }
  }

  @Test("A limit that is broken while a script or a recipe is run from the top names the flag that raises it")
  func limits() async throws {
    let context = bench.surroundings.context()
    let source = ScriptSource(name: "s.lua", text: "while true do end")
    let limits = LuaLimits(seconds: 0.05)
    let advice = "(raise it with --limit seconds=…, or do less)"
    do throws(ScriptError) {
      try await ScriptRunner.run(source, arguments: [], context: context, limits: limits)
      Issue.record("no error")
    } catch {
      #expect(error.code == .limit)
      #expect(error.message.hasSuffix(advice), "\(error.message)")
    }
    do throws(ScriptError) {
      _ = try await LuaRecipe.load(source, context: context, limits: limits)
      Issue.record("no error")
    } catch {
      #expect(error.message.hasSuffix(advice), "\(error.message)")
    }
  }

  @Test("A cancelled run ends the script and says so")
  func cancelled() async throws {
    let gate = Gate(2)
    let context = bench.surroundings.context(sleep: { _ in
      await gate.arrive()
      try await Task.sleep(for: .seconds(3600))
    })
    let running = Task {
      try await ScriptRunner.run(
        ScriptSource(name: "s.lua", text: "while true do pcall(moontide.sleep, 1) end"), arguments: [],
        context: context)
    }
    await gate.arrive()
    running.cancel()
    await #expect(throws: ScriptError.self) {
      do {
        try await running.value
      } catch let error as ScriptError {
        #expect(error.code == .cancelled)
        throw error
      }
    }
  }
}
