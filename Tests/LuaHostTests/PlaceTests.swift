import LuaHost
import Testing

/// Where an error is said to have happened.
@Suite struct PlaceTests {
  /// A script with a module that is written in Lua.
  private func script(limits: LuaLimits = .standard) throws -> LuaScript {
    let written = LuaModule("host") { module in
      module.script(
        """
        local host = ...
        function host.each(f)
          for i = 1, 3 do
            f(i)
          end
        end
        function host.check(x)
          if not x then error("it must be there") end
          if x == "raw" then error({ code = 7 }) end
          return x.field.inner
        end
        function host.retold(f)
          local _, failure = pcall(f)
          error(failure, 0)
        end
        function host.failing()
          host.failLater(8)
        end
        """)
    }
    return try LuaScript(
      LuaConfiguration(name: "test", modules: testModules(ManualClock()) + [written], limits: limits))
  }

  private func failure(
    _ source: String, limits: LuaLimits = .standard, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> LuaError {
    do {
      let values = try await script(limits: limits).load(source: source, name: "t.lua")
      Issue.record("no error, but \(values)", sourceLocation: sourceLocation)
      return LuaError(code: .failed, message: "")
    } catch let error as LuaError {
      return error
    }
  }

  @Test(
    "An error in the host's own Lua is placed in the script that called it",
    arguments: [
      ("\nhost.check(nil)", "it must be there"), ("\nhost.check('raw')", "table: 0x"),
      ("\nhost.check({})", "attempt to index a nil value (field 'field')"),
      ("\nhost.failing()", "host failure 8"),
      ("\nhost.retold(function() host.fail(8) end)", "host failure 8"),
      ("host.each(function(i)\nerror('in the callback') end)", "in the callback"),
    ])
  func hostFrames(source: String, message: String) async throws {
    let error = try await failure(source)
    #expect(error.place == "t.lua:2")
    #expect(error.message.hasPrefix(message), "\(error.message)")
    #expect(error.traceback.allSatisfy { !$0.hasPrefix("host:") }, "\(error.traceback)")
    #expect(error.sourceLine?.isEmpty == false)
  }

  @Test(
    "An error that leaves a coroutine keeps the place where it was raised",
    arguments: [
      "local f = coroutine.wrap(function()\nerror('x') end)\nf()",
      "local f = coroutine.wrap(function()\nerror({}) end)\nf()",
      "local f = coroutine.wrap(function()\nhost.fail(1) end)\nf()",
      "local f = coroutine.wrap(function()\nhost.failLater(1) end)\nf()",
      "local f = coroutine.wrap(function()\nhost.fail(1) end)\nlocal g = coroutine.wrap(function() f() end)\ng()",
      "local co = coroutine.create(function()\nerror({}) end)\nlocal _, e = coroutine.resume(co)\nerror(e, 0)",
      "local co = coroutine.create(function()\nerror('x') end)\nlocal _, e = coroutine.resume(co)\nerror(e, 0)",
    ])
  func coroutines(source: String) async throws {
    #expect(try await failure(source).place == "t.lua:2")
  }

  @Test("An error that was caught does not lend its place to a later one")
  func caughtBefore() async throws {
    let script = try script()
    let handler = try #require(
      try await script.load(
        source: """
          local shared = {}
          return function(first)
            if first then pcall(coroutine.wrap(function() error(shared) end)) return end
            error(shared)
          end
          """, name: "t.lua")[0].function)
    _ = try await script.call(handler, [true])
    do {
      _ = try await script.call(handler, [false])
      Issue.record("no error")
    } catch let error as LuaError {
      #expect(error.place == "t.lua:4")
    }
  }

  @Test("Running out of memory names the line that ran out")
  func memory() async throws {
    let error = try await failure(
      "local t = {}\nfor i = 1, 1e9 do\n  t[i] = { i }\nend", limits: LuaLimits(memory: 8 << 20))
    #expect(error.limit == .memory)
    #expect(error.place == "t.lua:3")
    #expect(error.sourceLine == "  t[i] = { i }")
  }

  @Test(
    "A mistake that people often make comes with a hint",
    arguments: [
      ("local file = {} return file.session.name", "'session' is nil here"),
      ("local file = {} return 'x' .. file.title", "'title' is nil here"),
      ("return nothing.x", "is the name spelled right, or is it defined later?"),
      ("local s = 'x' return s:uper()", "is the name spelled right?"),
      ("return host.book('x').read(1)", "use a colon: book:read(), not book.read()"),
      (
        "table.sort({2, 1}, function() return host.later(true) end)",
        "call it before sorting, and compare what it gave"
      ),
    ])
  func hints(source: String, hint: String) async throws {
    #expect(try await failure(source).description.contains(hint))
  }

  @Test(
    "A waiting __close runs when an error leaves the script, also one that came with load",
    arguments: [
      "local c <close> = setmetatable({}, {__close = function() closed = host.later(1) end}) error('x')",
      """
      local mt = {} mt["__cl" .. "ose"] = function() closed = host.later(1) end
      load("local c <close> = ... error('x')")(setmetatable({}, mt))
      """,
    ])
  func close(source: String) async throws {
    let script = try script()
    await #expect(throws: LuaError.self) { try await script.load(source: source, name: "t.lua") }
    #expect(try await script.load(source: "return closed", name: "t.lua") == [1])
  }

  @Test("Making the text of an error obeys the limits, and cannot wait")
  func text() async throws {
    let looping = "error(setmetatable({}, {__tostring = function() while true do end end}))"
    #expect(try await failure(looping, limits: LuaLimits(seconds: 0.1)).limit == .seconds)
    let waiting = try await failure(
      "error(setmetatable({}, {__tostring = function() return host.later('x') end}))")
    #expect(waiting.message == "the script raised a table value")
  }
}
