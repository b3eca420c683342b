import LuaHost
import Testing

/// Attempts to get out of a script's environment; each must come to nothing.
@Suite struct EscapeTests {
  /// A script that returns true when it got somewhere; anything else, an error included, is fine.
  static let attempts: [String] = [
    // Libraries that are not there.
    "return debug ~= nil", "return io ~= nil", "return package ~= nil", "return os.execute ~= nil",
    "return os.getenv ~= nil or os.remove ~= nil or os.rename ~= nil or os.tmpname ~= nil or os.exit ~= nil",
    "return collectgarbage ~= nil", "return dofile ~= nil or loadfile ~= nil", "return string.dump ~= nil",
    "return ('').dump ~= nil", "return require ~= nil and require('debug') ~= nil",
    "for k in pairs(_G) do if k == 'io' or k == 'debug' or k == 'package' then return true end end",
    // The same, by a detour through every reachable table.
    """
    local seen, found = {}, false
    local function visit(t)
      if seen[t] then return end
      seen[t] = true
      for k, v in next, t do
        if k == 'dump' or k == 'execute' or k == 'loadfile' or k == 'sethook' or k == 'popen' or k == 'loadlib' then found = true end
        if type(v) == 'table' then visit(v) end
        if type(k) == 'table' then visit(k) end
      end
      local m = getmetatable(t)
      if type(m) == 'table' then visit(m) end
    end
    visit(_G)
    return found
    """,
    // Bytecode in or out.
    "return load('\\27Lua\\x54\\0\\x19\\x93\\r\\n\\x1a\\n') ~= nil",
    "return load('\\27Lua', 'x', 'b') ~= nil", "return load('\\27Lua', 'x', 'bt') ~= nil",
    "local sent return load(function() if not sent then sent = true return '\\27Lua\\x54' end end) ~= nil",
    // Other globals than the script's own.
    "return load('return _G')() ~= _G", "return load('return _ENV')() ~= _G",
    "return load('return io or debug')() ~= nil", "return load('return io', 'x', 't', nil)() ~= nil",
    "local e = setmetatable({}, {__index = _G}) return load('return debug', 'x', 't', e)() ~= nil",
    "return select(2, pcall(function() return _ENV.debug end)) ~= nil",
    // Metatables.
    "return type(getmetatable('')) == 'table'", "return getmetatable('').__index ~= nil",
    "getmetatable('').__index = function() return 1 end return ('').foo == 1",
    "setmetatable('', {}) return true", "return type(getmetatable(host.book('x'))) == 'table'",
    "setmetatable(host.book('x'), {}) return true", "host.book('x').__index = 1 return true",
    "return host.book('x').__index ~= nil", "return host.book('x').__gc ~= nil",
    "return host.book('x').__name ~= nil",
    "return type(getmetatable(host.opaque('x'))) == 'table'", "return host.opaque('x').value ~= nil",
    "local _, e = pcall(host.fail, 1) return type(getmetatable(e)) == 'table'",
    "local _, e = pcall(host.fail, 1) e.code = 2 return true",
    "return type(getmetatable(host)) == 'table'", "setmetatable(host, {}) return true",
    "rawset(host.book('x'), 'title', 'y') return true", "return rawget(host.book('x'), 1) ~= nil",
    "return next(host.book('x')) ~= nil",
    "return rawlen(host.book('x')) > 0 and rawlen(host.book('x')) ~= 16",
    // Methods on what is not their object.
    "return host.book('x').read(host.opaque('y'), 1) ~= nil", "return host.book('x').repeated({}, 1) ~= nil",
    "return host.book('x').repeated('x', 1) ~= nil",
    "local _, e = pcall(host.fail, 1) return host.book('x').repeated(e, 1) ~= nil",
    // Finalizers.
    "setmetatable({}, {__gc = function() end}) return true",
    "local m = {} setmetatable({}, m) m.__gc = function() hit = true end for i = 1, 1e5 do local _ = {} end return hit",
    "setmetatable({}, setmetatable({__gc = false}, {})) return true",
    "local m = setmetatable({}, {__index = {__gc = function() hit = true end}}) setmetatable({}, m) for i = 1, 1e5 do local _ = {} end return hit",
    // Forging what the host gives.
    "coroutine.yield('forged') return true",
    "local co = coroutine.create(function() return host.later(1) end) coroutine.resume(co) return coroutine.resume(co) ~= false",
    "return coroutine.wrap(function() return coroutine.running() end)() == coroutine.running()",
    "coroutine.close(coroutine.running()) return true",
    "coroutine.resume(coroutine.running()) return (select(1, coroutine.resume(coroutine.running())))",
    "local e = select(2, pcall(error, setmetatable({}, {__name = 'error'}))) return e.code ~= nil",
    // Text that acts on a terminal is escaped where it leaves; here it only must not stop anything.
    "return tostring(host.book('\\27[31m')):find('book') == nil",
    // A protected metatable stays one.
    "local t = setmetatable({}, {__metatable = 'locked'}) setmetatable(t, nil) return true",
    // Names in errors and chunks.
    "load('error(1)', '@/etc/passwd')() return true", "return load('return 1', '\\27') == nil",
    "return pcall(string.rep) and true", "return pcall(next, {}, 'absent') and true",
    "return string.format('%s', host.opaque('secret')):find('secret') ~= nil",
    "return tostring(host.sleep):find('secret') ~= nil",
    "return pcall(string.format, '%p%q', {}, {}) and true",
  ]

  @Test("There are at least thirty attempts")
  func enough() { #expect(Self.attempts.count >= 30) }

  @Test("An attempt to escape comes to nothing", arguments: attempts)
  func attempt(source: String) async throws {
    let script = try makeScript()
    let values = (try? await script.load(source: source, name: "escape.lua")) ?? []
    #expect(values.first != true, "it got out")
    #expect(
      try await script.load(source: "return 'whole', type(string.rep)", name: "t.lua") == [
        "whole", "function",
      ])
  }

  @Test("A script sees nothing of another one")
  func otherScripts() async throws {
    let first = try makeScript()
    let second = try makeScript()
    _ = try await first.load(source: "secret = 1 string.secret = 1 host.secret = 1", name: "t.lua")
    let values = try await second.load(
      source: "return secret, string.secret, rawget(host, 'secret')", name: "t.lua")
    #expect(values == [.nil, .nil, .nil])
  }
}
