import LuaHost
import Testing

@Suite struct TasksTests {
  private func script(_ clock: ManualClock, limits: LuaLimits = .standard) throws -> LuaScript {
    let sleep: @Sendable (Duration) async throws -> Void = { duration in
      try await clock.sleep(duration / .seconds(1))
    }
    return try LuaScript(
      LuaConfiguration(
        name: "test", modules: testModules(clock) + [LuaTasks.module("moontide", sleep: sleep)],
        limits: limits))
  }

  @Test("all runs functions together and gives their results in order")
  func all() async throws {
    let clock = ManualClock()
    let script = try script(clock)
    async let values = script.load(
      source: """
        local shared = {}
        local a, b, c, d = moontide.all {
          function() host.sleep(3) return 1 end,
          function() host.sleep(1) return shared end,
          function() return 'three' end,
          function() host.sleep(2) end,
        }
        return a, b == shared, c, d, select('#', moontide.all {})
        """, name: "t.lua")
    await clock.untilSleeping(3)
    clock.advance(by: 3)
    #expect(try await values == [1, true, "three", .nil, 0])
  }

  @Test(
    "The first failure cancels the others and is raised as it was",
    arguments: [
      ("error('bad')", "string", "t.lua:5: bad"), ("error { code = 3 }", "table", "3"),
      ("host.fail(4)", "userdata", "4"), ("host.failLater(5)", "userdata", "5"),
    ])
  func failure(statement: String, type: String, shown: String) async throws {
    let clock = ManualClock()
    let script = try script(clock)
    let values = try await script.load(
      source: """
        local finished = false
        local ok, e = pcall(moontide.all, {
          function() host.sleep(1000) finished = true end,
          function()
            \(statement)
          end,
        })
        return ok, type(e), type(e) == 'string' and e or tostring(e.code), finished
        """, name: "t.lua")
    #expect(values == [false, .string(type), .string(shown), false])
    #expect(clock.sleepers == 0)
  }

  @Test("An error that leaves all is still the very Swift error")
  func sameError() async throws {
    let script = try script(ManualClock())
    do {
      _ = try await script.load(
        source: "moontide.all { function() moontide.all { function() host.failLater(6) end } end }",
        name: "t.lua")
      Issue.record("no error")
    } catch let error as LuaError {
      #expect(error.underlying as? HostFailure == HostFailure(code: 6))
    }
  }

  @Test("timeout gives back what the function returns, or cancels it")
  func timeout() async throws {
    let clock = ManualClock()
    let script = try script(clock)
    async let inTime = script.load(
      source: "return moontide.timeout(5, function() host.sleep(1) return 1, nil, 3 end)", name: "t.lua")
    await clock.untilSleeping(2)
    clock.advance(by: 1)
    #expect(try await inTime == [1, .nil, 3])
    async let late = script.load(
      source: """
        local after = false
        local ok, e = pcall(moontide.timeout, 5, function() pcall(host.sleep, 100) after = true end)
        return ok, e.code, e.message, after
        """, name: "t.lua")
    await clock.untilSleeping(2)
    clock.advance(by: 5)
    #expect(try await late == [false, "timeout", "timed out after 5.0 seconds", false])
    #expect(clock.sleepers == 0)
  }

  @Test("Functions that run together use up one allowance, and a limit stops all of them")
  func limits() async throws {
    let script = try script(ManualClock(), limits: LuaLimits(instructions: 1_000_000, seconds: 5))
    for source in [
      "pcall(moontide.all, { function() while true do end end }) return 1",
      "while true do pcall(moontide.all, { function() for i = 1, 1000 do end end }) end",
      "local function f() pcall(moontide.all, { f, f }) end f()",
      "local function f() pcall(moontide.timeout, 1000, f) pcall(moontide.timeout, 1000, f) end f()",
      "pcall(moontide.timeout, 1000, function() while true do end end) return 1",
    ] {
      do {
        _ = try await script.load(source: source, name: "t.lua")
        Issue.record("no error")
      } catch let error as LuaError {
        #expect(error.limit == .instructions || error.limit == .memory, "\(error)")
      }
    }
    #expect(try await script.load(source: "return 1", name: "t.lua") == [1])
  }

  @Test("What starting a function takes counts as running")
  func starting() async throws {
    let script = try script(ManualClock(), limits: LuaLimits(instructions: .max, seconds: 0.01))
    do {
      _ = try await script.load(
        source: "for i = 1, 1000 do moontide.all { function() end } end", name: "t.lua")
      Issue.record("no error")
    } catch let error as LuaError {
      #expect(error.limit == .seconds, "\(error)")
    }
  }

  @Test("Cancelling the call cancels all that it runs together")
  func cancellation() async throws {
    let clock = ManualClock()
    let script = try script(clock)
    let task = Task {
      try await script.load(
        source:
          "moontide.all { function() host.sleep(9) end, function() moontide.timeout(9, function() host.sleep(9) end) end }",
        name: "t.lua")
    }
    await clock.untilSleeping(3)
    task.cancel()
    do {
      _ = try await task.value
      Issue.record("no error")
    } catch let error as LuaError {
      #expect(error.code == .cancelled)
    }
    #expect(clock.sleepers == 0)
  }

  @Test("Closing the script ends what runs together")
  func closing() async throws {
    let clock = ManualClock()
    let script = try script(clock)
    let task = Task {
      try await script.load(
        source: "moontide.all { function() host.sleep(9) end, function() host.sleep(9) end }", name: "t.lua")
    }
    await clock.untilSleeping(2)
    await script.close()
    do {
      _ = try await task.value
      Issue.record("no error")
    } catch let error as LuaError {
      #expect(error.code == .closed)
    }
  }

  @Test(
    "What all and timeout do not take is said",
    arguments: [
      (
        "moontide.all { 1 }",
        "moontide.all: argument #1[1]: function wanted, got number 1 (pass the functions themselves, without calling them)"
      ),
      (
        "moontide.all { print, nil, print }",
        "moontide.all: argument #1: list of functions wanted, got a table with a key or a hole: [3]"
      ),
      ("moontide.all()", "moontide.all: argument #1: table wanted, got nothing"),
      (
        "moontide.timeout(-1, print)",
        "moontide.timeout: argument #1: finite number of at least 0.0 wanted, got number -1"
      ),
      (
        "local function f() return moontide.timeout(100, f) end f()",
        "functions that run functions nest more than 200 deep"
      ),
      (
        "local function f() moontide.all { f } end f()",
        "functions that run functions nest more than 200 deep"
      ),
      (
        "local t = {} for i = 1, 2000 do t[i] = function() moontide.timeout(9, function() end) end end moontide.all(t)",
        "more than 1000 functions run at once"
      ),
      ("moontide.timeout(1)", "moontide.timeout: argument #2: function wanted, got nothing"),
      (
        "table.sort({2, 1}, function() moontide.all {} end)",
        "moontide.all cannot wait inside a table.sort comparator: call it before sorting, and compare what it gave"
      ),
    ])
  func arguments(source: String, message: String) async throws {
    let script = try script(ManualClock())
    do {
      _ = try await script.load(source: source, name: "t.lua")
      Issue.record("no error")
    } catch let error as LuaError {
      #expect(error.message == message)
    }
  }
}
