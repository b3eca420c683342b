import LuaHost
import LuaLibrary
import ScriptTestSupport
import Testing

@Suite struct BaseTests {
  @Test("Logging takes any values, and print goes to info; control characters cannot act")
  func logging() async throws {
    let surroundings = try Surroundings()
    _ = try await surroundings.run(
      """
      local log = moontide.log
      log.debug("a", 1, nil, true, 2.5)
      log.info()
      log.warn(setmetatable({}, { __tostring = function() return "own" end }))
      log.error("two\\nlines\\27[31m")
      print("x", nil)
      """)
    #expect(
      surroundings.log == [
        "debug: a\t1\tnil\ttrue\t2.5", "info: ", "warn: own", "error: two", "error: lines\\u{1b}[31m",
        "info: x\tnil",
      ])
    #expect(surroundings.logged.items.allSatisfy { $0.script == "t.lua" })
  }

  @Test("Arguments are a list or a table by name")
  func arguments() async throws {
    #expect(try await run("return #moontide.args, moontide.args[2]", .list(["a", "b c"])) == [2, "b c"])
    #expect(try await run("return moontide.args.k, moontide.args.none", .named(["k": "v"])) == ["v", .nil])
  }

  @Test("Sleep waits for as long as it is told")
  func sleep() async throws {
    let slept = Recorded<Duration>()
    let surroundings = try Surroundings()
    let script = try LuaScript(
      LuaLibrary.configuration(surroundings.context(sleep: { slept.add($0) })))
    _ = try await script.load(source: "moontide.sleep(0) moontide.sleep(1.5)", name: "t.lua")
    #expect(slept.items == [.zero, .milliseconds(1500)])
    for bad in ["-1", "0/0", "math.huge", "'1'", "1e10"] {
      await #expect(throws: LuaError.self) {
        try await script.load(source: "moontide.sleep(\(bad))", name: "t.lua")
      }
    }
    await script.close()
  }

  @Test("A name that a module does not have gets the nearest one")
  func unknown() async throws {
    let surroundings = try Surroundings()
    #expect(
      try await surroundings.message("moontide.slep(1)")
        == "moontide: there is no 'slep' (did you mean 'sleep'?)")
    #expect(
      try await surroundings.message("moontide.fs.raed('x')")
        == "moontide.fs: there is no 'raed' (did you mean 'read'?)")
    #expect(
      try await surroundings.message("moontide.json.empty()").hasPrefix("moontide.json: there is no 'empty'"))
  }
}
