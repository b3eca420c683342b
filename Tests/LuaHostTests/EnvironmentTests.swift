import LuaHost
import Testing

@Suite struct EnvironmentTests {
  @Test(
    "What could reach outside of the script is absent",
    arguments: [
      "io", "debug", "package", "collectgarbage", "dofile", "loadfile", "loadstring", "os.execute", "os.exit",
      "os.getenv", "os.remove", "os.rename", "os.tmpname", "os.setlocale", "os.difftime", "string.dump",
      "('').dump", "getmetatable('').__index",
    ])
  func absent(expression: String) async throws {
    let values = try await run(
      "local ok, v = pcall(function() return \(expression) end) return ok and v or nil")
    #expect(values == [.nil])
  }

  @Test(
    "What remains works",
    arguments: [
      "return ('x'):rep(3) == 'xxx'", "return #table.pack(1, 2) == 2",
      "return math.maxinteger == 0x7fffffffffffffff",
      "return utf8.len('grün') == 4", "return os.time() > 0 and os.date('%Y') ~= '' and os.clock() >= 0",
      "return load('return 1 + 1')() == 2", "return load('x = 1') and load('y = 2', 'n', 't', {}) ~= nil",
      "local e = {} load('z = 3', 'n', 't', e)() return e.z == 3 and z == nil",
      "local parts = {'return ', '4'} local i = 0 return load(function() i = i + 1 return parts[i] end)() == 4",
      "return select(2, load('x = = 1', '=n')) == \"n:1: unexpected symbol near '='\"",
      "return _G._G == _G and _VERSION == 'Lua 5.4'", "return select('#', pcall(error)) == 2",
      "return '10' + 1 == 11", "return next({}) == nil and rawequal(1, 1) and rawlen({1}) == 1",
      "return ('a,b'):gsub(',', ';') == 'a;b'",
      "return string.format('%5.1f|%q', 1.25, 'x') == '  1.2|\"x\"'",
      "local ok, a, b = xpcall(function(...) return ... end, print, 1, 2) return ok and a == 1 and b == 2",
      "local ok, m = xpcall(error, function(e) return e .. '!' end, 'x') return not ok and m == 'x!'",
    ])
  func present(source: String) async throws {
    #expect(try await run(source) == [true])
  }

  @Test(
    "Finalizers and bytecode are refused with a reason",
    arguments: [
      (
        "setmetatable({}, {__gc = print})",
        "__gc is not available: use a <close> variable for what must be released"
      ),
      (
        "setmetatable({}, {__gc = false})",
        "__gc is not available: use a <close> variable for what must be released"
      ),
      ("load('x', 'x', 'b')", "load takes source text only, not bytecode"),
      ("assert(load('\\27Lua'))", "attempt to load a binary chunk (mode is 't')"),
      ("setmetatable(host.book('x'), {})", "bad argument #1 to 'setmetatable' (table expected, got book)"),
    ])
  func refused(source: String, message: String) async throws {
    #expect(try await failure(source).message == message)
  }

  @Test("Bytecode is refused as a script")
  func bytecode() async throws {
    let script = try makeScript()
    await #expect(throws: LuaError.self) {
      try await script.load(source: [0x1b, 0x4c, 0x75, 0x61, 0x54], name: "t.lua")
    }
  }

  @Test("Modules of the same name are one table, and a module may compute the names it does not have")
  func mergedModules() async throws {
    let more = LuaModule("host") { module in module.function("extra") { call in call.push(1) } }
    let env = LuaModule("host.env") { module in
      module.missing { call in try call.push("value of " + call.string(2)) }
    }
    let script = try LuaScript(
      LuaConfiguration(name: "test", modules: testModules(ManualClock()) + [more, env]))
    let values = try await script.load(
      source: "return host.extra(), host.version, host.env.HOME, pcall(function() return host.extr end)",
      name: "t.lua")
    #expect(values.prefix(4) == [1, 7, "value of HOME", false])
  }
}
