import LuaHost
import Synchronization
import Testing

@Suite struct WaitingTests {
  @Test(
    "A waiting call gives its result wherever Lua can yield",
    arguments: [
      "return host.later(1, 2)",
      "local ok, a, b = pcall(host.later, 1, 2) assert(ok) return a, b",
      "local ok, a, b = xpcall(host.later, print, 1, 2) assert(ok) return a, b",
      "return select(3, pcall(pcall, host.later, 1, 2))",
      "for a, b in function(_, c) if not c then return host.later(1, 2) end end do return a, b end",
      "local t = setmetatable({}, {__index = function(_, k) return host.later(k) end}) return t[1], t[2]",
      "local t = setmetatable({}, {__add = function(a, b) return host.later(b) end}) return 1, t + 2",
      "local t = setmetatable({}, {__call = function(_, ...) return host.later(...) end}) return t(1, 2)",
      "local t = setmetatable({}, {__lt = function() return host.later(true) end}) if t < t then return 1, 2 end",
      "local t = setmetatable({}, {__eq = function() return host.later(true) end}) if t == setmetatable({}, getmetatable(t)) then return 1, 2 end",
      "local t = setmetatable({}, {__concat = function() return host.later(1) end}) return t .. 'x', 2",
      "local t = setmetatable({}, {__len = function() return host.later(2) end}) return 1, #t",
      "local v local t = setmetatable({}, {__newindex = function(_, k, x) v = host.later(x) end}) t.x = 2 return 1, v",
      "local t = setmetatable({}, {__pairs = function() host.later() return next, {1, 2} end}) local s = {} for _, v in pairs(t) do s[#s + 1] = v end return s[1], s[2]",
      "local v do local c <close> = setmetatable({}, {__close = function() v = host.later(2) end}) end return 1, v",
      "local v pcall(function() local c <close> = setmetatable({}, {__close = function() v = host.later(2) end}) error('x') end) return 1, v",
      "return coroutine.wrap(function() return host.later(1, 2) end)()",
      "local co = coroutine.create(function() return host.later(1, 2) end) local ok, a, b = coroutine.resume(co) assert(ok and coroutine.status(co) == 'dead') return a, b",
      "local f = function() return host.later(1, 2) end for i = 1, 50 do local g = f f = function() return coroutine.wrap(g)() end end return f()",
      "local g = coroutine.wrap(function() for i = 1, 2 do coroutine.yield(host.later(i)) end end) return g(), g()",
      "local g = coroutine.wrap(function() local x = coroutine.yield(host.later(1)) return host.later(x) end) return g(), g(2)",
      "return host.deep.nested.add(host.later(0), 1), host.deep.nested.double(host.later(1))",
      "local b = host.book('x') return #b.summary == 12 and 1, b:read(2) == 'page 2 of x' and 2",
    ])
  func everywhere(source: String) async throws {
    #expect(try await run(source) == [1, 2])
  }

  @Test("An error of a waiting call is raised where the call stands, and is the same Swift error")
  func failures() async throws {
    let error = try await failure("local x\nx = host.failLater(7)")
    #expect(error.underlying as? HostFailure == HostFailure(code: 7))
    #expect(error.place == "t.lua:2")
    let caught = try await run(
      "local ok, e = pcall(host.failLater, 3) return ok, tostring(e), e.code, e.message, 'a ' .. e, e.other")
    #expect(caught == [false, "host failure 3", 3, "host failure 3", "a host failure 3", .nil])
    let rethrown = try await failure(
      "local co = coroutine.wrap(function() local ok, e = pcall(host.failLater, 3) error(e) end) co()")
    #expect(rethrown.underlying as? HostFailure == HostFailure(code: 3))
  }

  @Test(
    "Waiting where Lua cannot pause is an error that says what to do",
    arguments: [
      ("table.sort({2, 1}, function(a, b) host.sleep(1) return a < b end)", "a table.sort comparator"),
      ("return ('x'):gsub('x', function() return host.sleep(1) end)", "a string.gsub callback"),
      (
        "return tostring(setmetatable({}, {__tostring = function() host.sleep(1) return '' end}))",
        "a __tostring"
      ),
      ("print(setmetatable({}, {__tostring = function() host.sleep(1) return '' end}))", "a __tostring"),
      ("load(function() host.sleep(1) end)", "a reader given to load"),
      ("host.apply(function() host.sleep(1) end)", "a function that host.apply calls"),
      (
        "error((select(2, xpcall(function() error('q') end, function(e) host.sleep(1) return e end))), 0)",
        "a message handler of xpcall: return from xpcall first, then call it"
      ),
      (
        "return ('%s'):format(setmetatable({}, {__tostring = function() host.sleep(1) return '' end}))",
        "a __tostring metamethod called by string.format"
      ),
      (
        "local c = table.concat return c(setmetatable({}, {__index = function() host.sleep(1) end, __len = function() return 1 end}))",
        "a metamethod called by table.concat"
      ),
      (
        "return table.unpack(setmetatable({}, {__index = function() host.sleep(1) end}), 1, 2)",
        "a metamethod called by table.unpack"
      ),
      (
        "table.insert(setmetatable({}, {__newindex = function() host.sleep(1) end, __index = {}, __len = rawlen}), 1)",
        "a metamethod called by table.insert"
      ),
      (
        "os.time(setmetatable({}, {__index = function() host.sleep(1) end}))",
        "a function or metamethod that os.time calls"
      ),
      (
        "local co = coroutine.wrap(function() host.sleep(1) end) table.sort({2, 1}, function(a, b) co() return a < b end)",
        "a table.sort comparator"
      ),
      (
        "local co = coroutine.create(function() local c <close> = setmetatable({}, {__close = function() host.sleep(1) end}) coroutine.yield() end) coroutine.resume(co) error((select(2, coroutine.close(co))))",
        "a __close run by coroutine.close"
      ),
    ])
  func cannotWait(source: String, blocker: String) async throws {
    let error = try await failure(source)
    #expect(error.message.contains("host.sleep cannot wait inside \(blocker)"), "\(error.message)")
    #expect(error.line == 1)
  }

  @Test("While a recipe loads, waiting is refused and says what to do; its handlers may wait")
  func recipeMode() async throws {
    let script = try makeScript()
    do {
      _ = try await script.load(source: "\nhost.later(1)\nreturn {}", name: "r.lua", mode: .recipe)
      Issue.record("no error")
    } catch let error as LuaError {
      #expect(error.message == "host.later: I/O while a recipe loads: move it into a handler")
      #expect(error.place == "r.lua:2")
      #expect(error.sourceLine == "host.later(1)")
    }
    let recipe = try await script.load(
      source: "return { accept = function() return host.later(true) end }", name: "r.lua", mode: .recipe)
    let accept = try #require(recipe[0].table?["accept"]?.function)
    #expect(try await script.call(accept) == [true])
  }

  @Test("A thousand handlers sleep at the same time")
  func overlap() async throws {
    let clock = ManualClock()
    let script = try makeScript(clock)
    let handler = try #require(
      try await script.load(
        source: "return function(i) for _ = 1, 5 do host.sleep(0.01) end return i end", name: "t.lua")[0]
        .function)
    let sum = try await withThrowingTaskGroup(of: Int64.self) { group in
      for i in 0..<1_000 {
        group.addTask { try await script.call(handler, [.int(i)])[0].integer ?? 0 }
      }
      for _ in 0..<5 {
        await clock.untilSleeping(1_000)
        clock.advance(by: 0.01)
      }
      return try await group.reduce(0, +)
    }
    #expect(sum == 499_500)
    #expect(clock.mostSleepers == 1_000)
  }

  @Test("Between two waiting calls a handler runs alone")
  func alone() async throws {
    let clock = ManualClock()
    let script = try makeScript(clock)
    let handler = try #require(
      try await script.load(
        source: """
          local inside = 0
          return function()
            for _ = 1, 20 do
              inside = inside + 1
              for i = 1, 2000 do assert(inside == 1) end
              inside = inside - 1
              host.later()
            end
          end
          """, name: "t.lua")[0].function)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<50 { group.addTask { _ = try await script.call(handler) } }
      try await group.waitForAll()
    }
  }

  @Test("A coroutine that waits for the host can be neither resumed nor closed nor fed")
  func noForgery() async throws {
    let clock = ManualClock()
    let script = try makeScript(clock)
    let values = try await script.load(
      source: """
        local co, top
        local function waiter()
          top = coroutine.running()
          co = coroutine.create(function() local x = host.sleep(1) return 'woke', x end)
          return coroutine.resume(co)
        end
        local function attacker()
          local r = {}
          for _, c in ipairs { co, top } do
            r[#r + 1] = coroutine.status(c)
            r[#r + 1] = select(2, coroutine.resume(c, 'forged'))
            r[#r + 1] = select(2, pcall(coroutine.close, c))
          end
          return table.unpack(r)
        end
        return waiter, attacker
        """, name: "t.lua")
    let waiter = try #require(values[0].function)
    let attacker = try #require(values[1].function)
    async let woke = script.call(waiter)
    await clock.untilSleeping(1)
    let attempts = try await script.call(attacker)
    let expected: [LuaValue] = [
      "normal", "cannot resume a coroutine that waits for the host",
      "t.lua:1: cannot close a coroutine that waits for the host",
    ]
    #expect(attempts.count == 6)
    for (index, value) in attempts.enumerated() {
      #expect(value == expected[index % 3] || value.text?.hasSuffix("waits for the host") == true, "\(value)")
    }
    clock.advance(by: 1)
    #expect(try await woke == [true, "woke", .nil])
  }

  @Test("What coroutine.wrap made cannot be called while it waits for the host, and gets the host's result")
  func noForgeryThroughWrap() async throws {
    let clock = ManualClock()
    let script = try makeScript(clock)
    let values = try await script.load(
      source: """
        local inner = coroutine.wrap(function() return 'woke', host.sleep(1) end)
        return function() return inner() end, function() return pcall(inner, 'forged') end
        """, name: "t.lua")
    let waiter = try #require(values[0].function)
    let attacker = try #require(values[1].function)
    async let woke = script.call(waiter)
    await clock.untilSleeping(1)
    #expect(try await script.call(attacker) == [false, "cannot resume a coroutine that waits for the host"])
    clock.advance(by: 1)
    #expect(try await woke == ["woke"])
  }

  @Test("A handler cannot yield out of itself")
  func noYield() async throws {
    #expect(try await failure("coroutine.yield(1)").message == "attempt to yield from outside a coroutine")
    #expect(
      try await run("local co, main = coroutine.running() return main, coroutine.isyieldable()") == [
        true, false,
      ])
    #expect(try await run("return coroutine.wrap(function() return coroutine.isyieldable() end)()") == [true])
  }

  @Test("The coroutine library does what the stock one does")
  func coroutines() async throws {
    let values = try await run(
      """
      local out = {}
      local co = coroutine.create(function(a, b)
        out[#out + 1] = a + b
        local c = coroutine.yield('y')
        out[#out + 1] = c
        error('bad')
      end)
      out[#out + 1] = coroutine.status(co)
      local _, y = coroutine.resume(co, 1, 2)
      out[#out + 1] = y
      out[#out + 1] = coroutine.status(co)
      local ok, e = coroutine.resume(co, 'c')
      out[#out + 1] = ok
      out[#out + 1] = e
      out[#out + 1] = coroutine.status(co)
      out[#out + 1] = select(2, coroutine.resume(co))
      out[#out + 1] = coroutine.close(coroutine.create(print))
      local gen = coroutine.wrap(function() error('wrapped', 0) end)
      out[#out + 1] = select(2, pcall(gen))
      return table.unpack(out)
      """)
    #expect(
      values == [
        "suspended", 3, "y", "suspended", "c", false, "t.lua:6: bad", "dead", "cannot resume dead coroutine",
        true,
        "wrapped",
      ])
  }
}
