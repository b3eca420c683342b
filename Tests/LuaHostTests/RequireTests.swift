import LuaHost
import Testing

@Suite struct RequireTests {
  /// A script whose modules are given by name; the loader waits one turn of its task.
  private func script(_ modules: [String: String], _ clock: ManualClock = ManualClock()) throws -> LuaScript {
    try LuaScript(
      LuaConfiguration(
        name: "test", modules: testModules(clock),
        require: { name in
          await Task.yield()
          guard let source = modules[name] else { return nil }
          return LuaSource(name: "lib/\(name).lua", bytes: Array(source.utf8))
        }))
  }

  @Test("A module is loaded once, gets its name, and its value is what every require gives")
  func once() async throws {
    let script = try script([
      "a": "count = (count or 0) + 1 local name, file = ... return { name = name, file = file }",
      "none": "count = count + 1",
    ])
    let values = try await script.load(
      source: """
        local a = require("a")
        require "none"
        return a == require("a"), a.name, a.file, require("none"), count
        """, name: "t.lua")
    #expect(values == [true, "a", "lib/a.lua", true, 2])
  }

  @Test("A module's body may wait, and so may one that a recipe requires; the recipe itself may not")
  func waiting() async throws {
    let script = try script([
      "slow": "return host.later('slow')", "outer": "return require('slow') .. host.later('!')",
    ])
    #expect(
      try await script.load(source: "return require('outer')", name: "r.lua", mode: .recipe) == ["slow!"])
    do {
      _ = try await script.load(source: "require('outer') host.later(1)", name: "r.lua", mode: .recipe)
      Issue.record("no error")
    } catch let error as LuaError {
      #expect(error.message == "host.later: I/O while a recipe loads: move it into a handler")
    }
  }

  @Test("Two handlers that require a module at once load it once")
  func together() async throws {
    let clock = ManualClock()
    let script = try script(["slow": "count = (count or 0) + 1 host.sleep(1) return {}"], clock)
    let handler = try #require(
      try await script.load(
        source: "return function() return tostring(require('slow')), count end", name: "t.lua")[0].function)
    async let first = script.call(handler)
    async let second = script.call(handler)
    await clock.untilSleeping(1)
    clock.advance(by: 1)
    let (a, b) = try await (first, second)
    #expect(a == b)
    #expect(a[1] == 1)
  }

  @Test(
    "What is wrong with a module is said",
    arguments: [
      ("require('absent')", "there is no module 'absent'"),
      ("require('a\\nb')", "there is no module 'a\\nb'"),
      ("require(1)", "require: argument #1: string wanted, got number 1"),
      ("require('circle')", "modules require each other: circle → circle"),
      ("require('one')", "modules require each other: one → one"),
      ("require('syntax')", "unexpected symbol near '='"),
      ("require('fails')", "it failed"),
    ])
  func failures(source: String, message: String) async throws {
    let script = try script([
      "circle": "require('circle')", "one": "require('two')", "two": "require('one')", "syntax": "x = = 1",
      "fails": "\nerror('it failed')",
    ])
    for _ in 0..<2 {
      do {
        _ = try await script.load(source: source, name: "t.lua")
        Issue.record("no error")
      } catch let error as LuaError {
        #expect(error.message == message)
        if message == "it failed" { #expect(error.place == "lib/fails.lua:2") }
        if message.hasPrefix("unexpected") { #expect(error.place == "lib/syntax.lua:1") }
      }
    }
  }

  @Test("Modules that wait for each other from two handlers are an error, not a deadlock")
  func deadlock() async throws {
    let clock = ManualClock()
    let script = try script(
      ["a": "host.sleep(1) return require('b')", "b": "host.sleep(1) return require('a')"], clock)
    let handler = try #require(
      try await script.load(source: "return function(name) return pcall(require, name) end", name: "t.lua")[0]
        .function)
    async let first = script.call(handler, ["a"])
    async let second = script.call(handler, ["b"])
    await clock.untilSleeping(2)
    clock.advance(by: 1)
    // One of the two was told of the circle; the other one loads its module once more, and meets it too.
    await clock.untilSleeping(1)
    clock.advance(by: 1)
    let results = try await [first, second]
    #expect(results.allSatisfy { $0[0] == false })
  }

  @Test("A module that a stopped handler was loading can be loaded by another one")
  func abandoned() async throws {
    let clock = ManualClock()
    let script = try script(["slow": "host.sleep(1) return 'slow'"], clock)
    let handler = try #require(
      try await script.load(source: "return function() return require('slow') end", name: "t.lua")[0].function
    )
    let first = Task { try await script.call(handler) }
    await clock.untilSleeping(1)
    let second = Task { try await script.call(handler) }
    first.cancel()
    await #expect(throws: LuaError.self) { try await first.value }
    await clock.untilSleeping(1)
    clock.advance(by: 1)
    #expect(try await second.value == ["slow"])
  }
}
