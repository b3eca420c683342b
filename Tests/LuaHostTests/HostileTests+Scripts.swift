extension HostileTests {
  /// Add to this table whatever might break a limit.
  static let scripts: [Script] = [
    Script(name: "bare loop", source: "while true do end"),
    Script(name: "loop in pcall", source: "while true do pcall(function() while true do end end) end"),
    Script(name: "goto loop", source: "::a:: goto a"),
    Script(
      name: "coroutine that resumes its resumer",
      source: """
        while true do
          local a
          a = coroutine.wrap(function()
            local b = coroutine.create(function() a() end)
            coroutine.resume(b)
          end)
          pcall(a)
        end
        """),
    Script(
      name: "coroutine that resumes itself",
      source: "while true do local w w = coroutine.wrap(function() w(1) end) pcall(w) end"),
    Script(
      name: "coroutine that resumes itself where it cannot be left",
      source: """
        while true do
          local w
          w = coroutine.wrap(function()
            table.sort({ 3, 2, 1 }, function() pcall(w) return false end)
          end)
          pcall(w)
        end
        """),
    Script(name: "for loop", source: "for i = 1, math.huge do end"),
    Script(name: "repeat with pcall(error)", source: "repeat pcall(error) until false"),
    Script(
      name: "xpcall with a looping handler",
      source: "xpcall(function() error('x') end, function() while true do end end)"),
    Script(
      name: "xpcall in a loop, looping handler",
      source: "while true do xpcall(function() while true do end end, function() while true do end end) end"),
    Script(name: "xpcall with itself", source: "xpcall(xpcall, xpcall, error, xpcall) while true do end"),
    Script(
      name: "handler that fails", source: "while true do xpcall(error, function() error('again') end) end"),
    Script(name: "coroutine", source: "coroutine.wrap(function() while true do end end)()"),
    Script(
      name: "coroutine.resume in a loop",
      source: "while true do coroutine.resume(coroutine.create(function() while true do end end)) end"),
    Script(
      name: "short coroutines",
      source: "while true do coroutine.wrap(function() for i = 1, 400 do end end)() end"),
    Script(
      name: "empty coroutines", source: "while true do coroutine.resume(coroutine.create(function() end)) end"
    ),
    Script(
      name: "coroutines that yield",
      source: "while true do local co = coroutine.wrap(function() coroutine.yield() end) co() end"),
    Script(
      name: "ping pong",
      source:
        "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end"
    ),
    Script(
      name: "loop in __close",
      source:
        "do local c <close> = setmetatable({}, {__close = function() while true do end end}) end"),
    Script(
      name: "loop in __close after an error",
      source:
        "while true do pcall(function() local c <close> = setmetatable({}, {__close = function() while true do end end}) error('x') end) end"
    ),
    Script(
      name: "loop in __close of a stopped function",
      source:
        "local function f() local c <close> = setmetatable({}, {__close = function() while true do end end}) while true do end end while true do pcall(f) end"
    ),
    Script(
      name: "loop in __close by coroutine.close",
      source:
        "local co = coroutine.create(function() local c <close> = setmetatable({}, {__close = function() while true do end end}) coroutine.yield() end) coroutine.resume(co) coroutine.close(co)"
    ),
    Script(
      name: "nested closes",
      source:
        "local function f() local c <close> = setmetatable({}, {__close = function() local co = coroutine.create(f) coroutine.resume(co) coroutine.close(co) end}) coroutine.yield() end local co = coroutine.create(f) coroutine.resume(co) print(coroutine.close(co)) while true do end"
    ),
    Script(name: "comparator", source: "table.sort({3, 2, 1}, function() while true do end end)"),
    Script(
      name: "comparator in C over a lying length",
      source: "table.sort(setmetatable({}, {__len = function() return 2^31 - 2 end}), rawequal)"),
    Script(
      name: "index metamethod",
      source: "local t = setmetatable({}, {__index = function() while true do end end}) return t.x"),
    Script(
      name: "arithmetic metamethod",
      source: "local t = setmetatable({}, {__add = function() while true do end end}) return t + t"),
    Script(
      name: "__tostring",
      source: "tostring(setmetatable({}, {__tostring = function() while true do end end}))"),
    Script(name: "iterator", source: "for _ in function() return 1 end do end"),
    Script(name: "gsub callback", source: "('x'):gsub('x', function() while true do end end)"),
    Script(name: "load reader", source: "load(function() return ' ' end)", stoppedBy: []),
    Script(name: "load reader that loops", source: "load(function() while true do end end)"),
    Script(name: "load in a loop", source: "while true do load(('x=1 '):rep(10000)) end"),
    Script(
      name: "load of many labels",
      source:
        "local t = {} for i = 1, 120000 do t[i] = '::a' .. i .. '::' end local s = table.concat(t, ' ', 1, 32000) while true do load(s) end"
    ),
    Script(
      name: "load of 16 MiB", source: "local f, e = load(('x=1 '):rep(4 << 20)) error(e)", stoppedBy: []),

    Script(name: "find a*b", source: "('a'):rep(50000):find('a*b')"),
    Script(
      name: "find a*b in pcall", source: "while true do pcall(string.find, ('a'):rep(50000), 'a*b') end"),
    Script(name: "find .-.-.-b", source: "('a'):rep(1000):find('.-.-.-b')"),
    Script(name: "match .-.-.-b", source: "('a'):rep(1000):match('.-.-.-b')"),
    Script(name: "gmatch .-.-.-b", source: "for _ in ('a'):rep(1000):gmatch('.-.-.-b') do end"),
    Script(name: "gsub .-.-.-b", source: "('a'):rep(1000):gsub('.-.-.-b', '')"),
    Script(name: "balanced parentheses", source: "local s = ('('):rep(200000) s:find('%b()')"),
    Script(name: "gsub of balanced parentheses", source: "local s = ('('):rep(200000) s:gsub('%b()', '')"),
    Script(name: "gmatch a*b", source: "for _ in ('a'):rep(50000):gmatch('a*b') do end"),
    Script(name: "back references", source: "('a'):rep(20000):find('(.-)(.-)%1%2b')"),
    Script(
      name: "long set", source: "local s = ('a'):rep(20000) s:find('[' .. ('b'):rep(20000) .. ']')"),
    Script(
      name: "plain find of nearly the same",
      source: "local s = ('a'):rep(4 << 20) while true do s:find(('a'):rep(1 << 20) .. 'b', 1, true) end"),

    Script(name: "rep of 10^10", source: "('x'):rep(1e10)", stoppedBy: [.memory]),
    Script(name: "rep of nothing", source: "while true do (''):rep(1e9, '') end"),
    Script(name: "rep in a loop", source: "while true do ('x'):rep(1 << 20) end"),
    Script(name: "move of 10^10", source: "table.move({}, 1, 1e10, 1, {})"),
    Script(name: "move down", source: "table.move({}, 1, 1e10, 2, {})"),
    Script(
      name: "insert with a lying length",
      source: "table.insert(setmetatable({}, {__len = function() return 1e10 // 1 | 0 end}), 1, 1)"),
    Script(
      name: "remove with a lying length",
      source: "table.remove(setmetatable({}, {__len = function() return 10000000000 end}), 1)"),
    Script(
      name: "concat with a lying length",
      source:
        "table.concat(setmetatable({}, {__len = function() return 1 << 60 end, __index = function() return '' end}))"
    ),
    Script(name: "concat of a huge range", source: "table.concat({}, '', 1, 1e15)", stoppedBy: []),
    Script(name: "unpack of a huge range", source: "table.unpack({}, 1, 1e9)", stoppedBy: []),
    Script(name: "unpack of a million in a loop", source: "while true do table.unpack({}, 1, 900000) end"),
    Script(name: "varargs", source: "local function f(...) return f(1, ...) end f()", stoppedBy: []),
    Script(
      name: "varargs that grow, in pcall",
      source: "local function f(...) return f(1, ...) end while true do pcall(f) end"),
    Script(
      name: "selecting from a million varargs",
      source: "local function f(...) while true do select('#', ...) end end f(table.unpack({}, 1, 300000))"),
    Script(
      name: "comparing long strings",
      source:
        "local a, b = ('x'):rep(8 << 20) .. 'a', ('x'):rep(8 << 20) .. 'b' while true do if a < b then end end"
    ),
    Script(
      name: "utf8.len of a long string", source: "local s = ('x'):rep(8 << 20) while true do utf8.len(s) end"
    ),
    Script(
      name: "tonumber of a long string", source: "local s = (' '):rep(8 << 20) while true do tonumber(s) end"
    ),
    Script(
      name: "packsize of a long format",
      source: "local s = (' '):rep(8 << 20) while true do string.packsize(s) end"),
    Script(name: "os.date of a long format", source: "os.date(('%c'):rep(1 << 20))", stoppedBy: []),
    Script(
      name: "reverse of a long string", source: "local s = ('x'):rep(10 << 20) while true do s:reverse() end"),
    Script(
      name: "concatenation", source: "local s = ('x'):rep(10 << 20) while true do local t = s .. 'y' end"),
    Script(
      name: "sorting a long list",
      source:
        "local t = {} for i = 1, 500000 do t[i] = (i * 7919) % 500009 end while true do table.sort(t) end"),
    Script(
      name: "next over an emptied table",
      source:
        "local t = {} for i = 1, 2^19 do t[i] = 1 end for i = 1, 2^19 do t[i] = nil end while true do next(t) end"
    ),

    Script(
      name: "table bomb", source: "local t = {} while true do t[#t + 1] = {} end",
      stoppedBy: [.memory, .seconds]),
    Script(name: "string bomb", source: "local s = 'x' while true do s = s .. s end", stoppedBy: [.memory]),
    Script(
      name: "coroutine bomb", source: "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
      stoppedBy: [.memory, .seconds]),
    Script(
      name: "closure bomb",
      source: "local t = {} while true do local x t[#t + 1] = function() return x end end",
      stoppedBy: [.memory, .seconds]),
    Script(
      name: "table bomb in pcall",
      source: "local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end",
      stoppedBy: [.memory, .seconds]),
    Script(
      name: "string bomb in pcall",
      source: "local s = 'x' while true do pcall(function() while true do s = s .. s end end) end",
      stoppedBy: [.memory, .seconds]),
    Script(
      name: "string bomb in coroutines",
      source:
        "while true do coroutine.resume(coroutine.create(function() local s = 'x' while true do s = s .. s end end)) end",
      stoppedBy: [.memory, .seconds]),
    Script(
      name: "coroutine bomb in pcall",
      source:
        "local t = {} while true do pcall(function() while true do t[#t + 1] = coroutine.create(print) end end) end",
      stoppedBy: [.memory, .seconds]),
    Script(
      name: "host objects", source: "local t = {} while true do t[#t + 1] = host.book('x') end",
      stoppedBy: [.memory, .seconds]),
    Script(
      name: "big values through the host",
      source: "local t = {} while true do t[#t + 1] = host.echo(('x'):rep(1 << 20) .. #t) end",
      stoppedBy: [.memory, .seconds]),
    Script(
      name: "big values through the host in pcall",
      source:
        "local t = {} while true do pcall(function() t[#t + 1] = host.echo(('x'):rep(1 << 20) .. #t) end) end",
      stoppedBy: [.memory, .seconds]),

    Script(name: "recursion", source: "local function f() return 1 + f() end f()", stoppedBy: []),
    Script(
      name: "recursion in pcall", source: "local function f() return pcall(f) end while true do f() end"),
    Script(name: "recursion that goes on", source: "local function f() f() end while true do pcall(f) end"),
    Script(name: "recursion in pcall, twice", source: "local function f() pcall(f) pcall(f) end f()"),
    Script(
      name: "recursion in pcall, and again after it",
      source: "local function f() return pcall(f) and f() end f()"),
    Script(
      name: "recursion in xpcall, twice",
      source: "local function f() xpcall(f, print) xpcall(f, print) end f()"),
    Script(
      name: "recursion in pcall and __index",
      source:
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) pcall(function() return t[k] end) return t[k] end return t.x"
    ),
    Script(
      name: "recursion in pcall and coroutines",
      source: "local function f() coroutine.wrap(function() pcall(f) pcall(f) end)() end f()"),
    Script(
      name: "recursion in pcall that yields",
      source:
        "local function f() coroutine.yield() pcall(f) pcall(f) end local co = coroutine.wrap(f) while true do co() end"
    ),
    Script(
      name: "recursion in pcall that waits", source: "local function f() host.now() pcall(f) pcall(f) end f()"
    ),
    Script(
      name: "recursion with __close",
      source:
        "local mt = {__close = function() end} local function f() local c <close> = setmetatable({}, mt) f() end while true do pcall(f) end",
      stoppedBy: [.memory, .seconds, .instructions]),
    Script(
      name: "recursion in pcall with __close",
      source:
        "local function f() local c <close> = setmetatable({}, {__close = function() pcall(f) end}) pcall(f) end f()"
    ),
    Script(
      name: "recursion in an xpcall handler",
      source: "local function f() xpcall(error, f) xpcall(error, f) end f()"),
    Script(
      name: "recursion through timeout",
      source: "local function f() return moontide.timeout(100, f) end f()", stoppedBy: []),
    Script(
      name: "recursion through timeout that goes on",
      source: "local function f() return moontide.timeout(100, f) end while true do pcall(f) end"),
    Script(
      name: "recursion through all", source: "local function f() moontide.all { f } end f()", stoppedBy: []),
    Script(
      name: "recursion through all that goes on",
      source: "local function f() moontide.all { f } end while true do pcall(f) end"),
    Script(
      name: "recursion through all, twice", source: "local function f() moontide.all { f, f } end f()",
      stoppedBy: []),
    Script(
      name: "recursion through all in pcall, twice",
      source: "local function f() pcall(moontide.all, { f, f }) end f()"),
    Script(
      name: "all of a million", source: "local t = {} for i = 1, 300000 do t[i] = print end moontide.all(t)",
      stoppedBy: []),
    Script(
      name: "all of many, nested",
      source:
        "local t = {} local function g() pcall(moontide.all, t) end for i = 1, 900 do t[i] = g end while true do g() end"
    ),
    Script(name: "timeout in a loop", source: "while true do moontide.timeout(100, function() end) end"),
    Script(
      name: "recursion through __index",
      source: "local t = {} setmetatable(t, {__index = function(t, k) return t[k] end}) return t.x",
      stoppedBy: []),
    Script(
      name: "recursion through a chain of __index",
      source: "local t = {} for i = 1, 3000 do t = setmetatable({}, {__index = t}) end return t.x",
      stoppedBy: []),
    Script(
      name: "recursion through tostring",
      source:
        "local t = setmetatable({}, {__tostring = function(t) return tostring(t) end}) return tostring(t)",
      stoppedBy: []),
    Script(
      name: "recursion through gsub callbacks",
      source: "local function f() return (('x'):gsub('x', f)) end f()", stoppedBy: []),
    Script(
      name: "recursion through gsub callbacks that goes on",
      source: "local function f() return (('x'):gsub('x', f)) end while true do pcall(f) end"),
    Script(
      name: "recursion through sort",
      source: "local function f() table.sort({2, 1}, f) end f()", stoppedBy: []),
    Script(
      name: "recursion through the host", source: "local function f() return host.apply(f) end f()",
      stoppedBy: []),
    Script(
      name: "recursion through the host that goes on",
      source: "local function f() return host.apply(f) end while true do pcall(f) end"),
    Script(name: "loop below the host", source: "host.apply(function() while true do end end)"),
    Script(
      name: "loop below the host in pcall",
      source: "while true do pcall(host.apply, function() while true do end end) end"),
    Script(
      name: "nested coroutines", source: "local function f() coroutine.wrap(f)() end f()", stoppedBy: []),
    Script(
      name: "nested coroutines that go on",
      source: "local function f() coroutine.wrap(f)() end while true do pcall(f) end"),
    Script(name: "recursion through load", source: "local s = 'load(s)()' _G.s = s load(s)()", stoppedBy: []),
    Script(
      name: "nested source", source: "load('return ' .. ('('):rep(100000) .. ('1') .. (')'):rep(100000))",
      stoppedBy: []),
    Script(
      name: "values that nest too deep for the host",
      source: "local t = {} for i = 1, 100000 do t = {t} end host.echo(t)", stoppedBy: []),
    Script(
      name: "waits that never end soon", source: "while true do host.now() end"),
    Script(name: "print in a loop", source: "while true do print('x') end"),
  ]
}
