import LuaHost
import Testing

/// Scripts that try to run for ever or to eat all memory, and what must be said of each.
@Suite(.serialized) struct HostileTests {
  static let limits = LuaLimits(instructions: 2_000_000_000, seconds: 0.5, memory: 32 << 20)

  struct Script: Sendable, CustomTestStringConvertible {
    var name: String
    var source: String
    /// The limits one of which must be named; empty where the script must end by itself.
    var stoppedBy: [LuaLimit] = [.seconds, .instructions]
    var testDescription: String { name }
  }

  @Test("A hostile script is stopped within twice its limit, and its host goes on", arguments: scripts)
  func stopped(script: Script) async throws {
    // The limit goes by the clock. A busy machine may take the processor away from us once, or twice, but
    // what does not hold does not hold three times in a row.
    var elapsed = try await stop(script)
    for _ in 0..<2 where elapsed >= Self.limits.seconds * 2 { elapsed = try await stop(script) }
    #expect(elapsed < Self.limits.seconds * 2)
  }

  /// Runs a hostile script and gives the seconds until it was stopped.
  private func stop(_ script: Script) async throws -> Double {
    let host = try LuaScript(
      LuaConfiguration(
        name: "hostile",
        modules: testModules(ManualClock()) + [
          LuaTasks.module("moontide") { try await Task.sleep(for: $0) }
        ], limits: Self.limits, print: { _ in }))
    let bystander = try #require(
      try await host.load(source: "return function() return 'alive' end", name: "bystander.lua")[0].function)
    let clock = ContinuousClock()
    let start = clock.now
    do {
      _ = try await host.load(source: script.source, name: "hostile.lua")
      #expect(script.stoppedBy.isEmpty, "it was not stopped")
    } catch let error as LuaError {
      if !script.stoppedBy.isEmpty {
        #expect(error.limit.map(script.stoppedBy.contains) == true, "\(error)")
        #expect(error.place?.hasPrefix("hostile.lua") == true || error.limit == .memory, "\(error)")
      }
    }
    let elapsed = start.duration(to: clock.now)
    #expect(try await host.call(bystander) == ["alive"])
    return elapsed / .seconds(1)
  }

  @Test("Running out of instructions is said, with the place")
  func instructions() async throws {
    let error = try await failure(
      "local i = 0\nwhile true do\n  i = i + 1\nend", limits: LuaLimits(instructions: 100_000, seconds: 5))
    #expect(error.limit == .instructions)
    #expect(error.message == "stopped: it ran more than 100000 instructions")
    #expect(error.script == "t.lua")
    #expect((2...3).contains(error.line ?? 0))
  }

  @Test("Waiting does not count as running")
  func waitingIsFree() async throws {
    let clock = ManualClock()
    let script = try makeScript(clock, limits: LuaLimits(seconds: 0.05))
    async let values = script.load(source: "host.sleep(1) host.sleep(1) return 1", name: "t.lua")
    await clock.untilSleeping(1)
    let waited = ContinuousClock().now
    while waited.duration(to: ContinuousClock().now) < .milliseconds(100) { await Task.yield() }
    clock.advance(by: 1)
    await clock.untilSleeping(1)
    clock.advance(by: 1)
    #expect(try await values == [1])
  }

  @Test("One memory error may be caught; the script goes on")
  func oneMemoryError() async throws {
    let values = try await run(
      """
      local ok, e = pcall(function() local s = 'x' while true do s = s .. s end end)
      return ok, e, #('x'):rep(1000)
      """, limits: Self.limits)
    #expect(values == [false, "not enough memory", 1000])
  }

  @Test("A coroutine that was stopped is never run again, not even to close it")
  func stoppedCoroutines() async throws {
    let script = try makeScript(limits: Self.limits)
    await #expect(throws: LuaError.self) {
      try await script.load(
        source: """
          co = coroutine.create(function()
            local c <close> = setmetatable({}, {__close = function() while true do end end})
            while true do end
          end)
          coroutine.resume(co)
          """, name: "t.lua")
    }
    let values = try await script.load(
      source: "return coroutine.status(co), select(2, coroutine.resume(co)), coroutine.close(co)",
      name: "t.lua")
    #expect(values == ["dead", "cannot resume dead coroutine", true])
  }
}
