import CLuaBridge
import LuaHost
import Testing

/// Compares the pattern functions of scripts with those of Lua's own library, in one state.
@Suite struct PatternTests {
  static let comparison = """
    local seed, rounds = ...
    math.randomseed(seed)
    local ours, random = string, math.random
    local pieces = { 'a', 'b', 'c', '.', '%a', '%d', '%s', '%w', '%p', '%l', '%U', '%S', '%x', '%c', '%g', '[ab]',
      '[^a]', '[a-c]', '[%a_]', '[]]', '[^]x]', '[^%s]', '[a-]', '[-a]', '[%a-z]', '%b()', '%bab', '%baa', '%f[%a]',
      '%f[^a]', '%f[%z]', '%1', '%2', '%3', '()', '(', ')', '(a', 'b)', '(.', '.)', '(.-)', '(%a*)', '$', '^', '%%',
      '%', '[', '[a', '[^', '%b', '%bx', '%f', '\\0', '\\xe9', ' ', '(', ')', '%$', '%0' }
    local suffixes = { '', '', '', '', '*', '+', '-', '?' }
    local letters = { 'a', 'a', 'b', 'b', 'c', '(', ')', ' ', '1', '_', ']', 'A', '\\0', '\\xe9', '-', '$', '^', '%' }
    local function text(most)
      local t = {}
      for i = 1, random(0, most) do t[i] = letters[random(#letters)] end
      return table.concat(t)
    end
    local function pattern()
      local t = {}
      if random(6) == 1 then t[1] = '^' end
      for i = 1, random(0, 7) do t[#t + 1] = pieces[random(#pieces)] .. suffixes[random(#suffixes)] end
      if random(6) == 1 then t[#t + 1] = '$' end
      return table.concat(t)
    end
    local function all(f, ...)
      local t = {}
      for a, b, c in f(...) do
        t[#t + 1] = tostring(a) .. '|' .. tostring(b) .. '|' .. tostring(c)
        if #t > 100 then break end
      end
      return table.concat(t, ';')
    end
    local templates = { '<%0>', '%1', '%2%1', '%', '%9', 'x', '', '%%', '%x', '[%1]%0', 7 }
    local dictionary = { a = 'A', b = 1, ab = false, c = {}, [1] = 'one', [''] = 'empty' }
    local function called(...)
      local n = select('#', ...)
      return n > 1 and n .. ':' .. tostring((select(2, ...))) or nil
    end
    local function show(...)
      local t = table.pack(...)
      for i = 1, t.n do t[i] = math.type(t[i]) == 'integer' and '#' .. t[i] or tostring(t[i]) end
      return (stock.gsub(table.concat(t, ','), "to '[^']*'", ''))
    end
    local function compare(name, ...)
      local a = show(pcall(ours[name], ...))
      local b = show(pcall(stock[name], ...))
      if a ~= b then error(name .. '(' .. stock.format('%q %q', (...), (select(2, ...))) .. ')\\nours:  ' .. a .. '\\nstock: ' .. b, 0) end
    end
    local matched = 0
    for _ = 1, rounds do
      local s, p = text(24), pattern()
      local init = random(3) == 1 and random(-26, 26) or nil
      compare('find', s, p, init)
      compare('match', s, p, init)
      if random(4) == 1 then compare('find', s, text(2), init, random(2) == 1) end
      local kind = random(6)
      local repl = kind == 1 and dictionary or kind == 2 and called or templates[random(#templates)]
      compare('gsub', s, p, repl, random(4) == 1 and random(-1, 4) or nil)
      local a = show(pcall(all, ours.gmatch, s, p, init))
      local b = show(pcall(all, stock.gmatch, s, p, init))
      if a ~= b then error('gmatch(' .. stock.format('%q %q', s, p) .. ')\\nours:  ' .. a .. '\\nstock: ' .. b, 0) end
      local ok, found = pcall(ours.find, s, p)
      if ok and found then matched = matched + 1 end
      -- Errors cost memory that only a collection frees, and rep is compared on the way.
      compare('rep', s, random(-1, 5), random(2) == 1 and text(3) or nil)
    end
    return matched
    """

  @Test("Patterns match what the stock library matches, error messages included, over 120,000 random cases")
  func sameAsStock() throws {
    let seed = Int64.random(in: 1...Int64.max)
    try withStockState { state in
      #expect(luaL_loadstring(state, Self.comparison) == LUA_OK)
      lua_pushinteger(state, seed)
      lua_pushinteger(state, 120_000)
      let status = lua_pcallk(state, 2, 1, 0, 0, nil)
      let text = lua_tolstring(state, -1, nil).map { String(cString: $0) } ?? ""
      #expect(status == LUA_OK, "seed \(seed): \(text)")
      // The cases are worth something only if a good part of them matches.
      #expect(lua_tonumberx(state, -1, nil) > 20_000, "seed \(seed)")
    }
  }

  @Test("The table functions do what the stock ones do")
  func tables() throws {
    let seed = Int64.random(in: 1...Int64.max)
    let source = """
      local seed = ...
      math.randomseed(seed)
      local random = math.random
      local function list(n)
        local t = {}
        for i = 1, n do t[i] = random(-20, 20) end
        return t
      end
      local function copy(t) return { stocktable.unpack(t) } end
      local function show(ok, ...)
        local t = stocktable.pack(tostring(ok), ...)
        for i = 1, t.n do
          t[i] = type(t[i]) == 'table' and 'table' or tostring(t[i])
        end
        -- The stock library blames argument 1 of remove for a wrong position.
        return (stock.gsub(stocktable.concat(t, ','), "#%d to '[^']*'", ''))
      end
      local function all(t)
        local parts = {}
        for i = -5, 40 do parts[#parts + 1] = tostring(t[i]) end
        return stocktable.concat(parts, ' ')
      end
      local function compare(name, t, ...)
        local a, b = copy(t), copy(t)
        local x = show(pcall(table[name], a, ...)) .. '/' .. all(a)
        local y = show(pcall(stocktable[name], b, ...)) .. '/' .. all(b)
        if x ~= y then error(name .. '\\nours:  ' .. x .. '\\nstock: ' .. y, 0) end
      end
      local huge = math.maxinteger
      for _ = 1, 20000 do
        local t = list(random(0, 12))
        local i, j, k = random(-2, 14), random(-2, 14), random(-2, 14)
        if random(50) == 1 then i = huge - random(0, 2) end
        if random(50) == 1 then k = huge - random(0, 2) end
        compare('insert', t, i, 99)
        compare('insert', t, 99)
        compare('remove', t, i)
        compare('remove', t)
        compare('move', t, 1, j, k)
        compare('concat', t, ';', i, j)
        compare('concat', t)
        compare('unpack', t, 1, j)
        compare('unpack', t)
        compare('sort', t)
        compare('sort', t, function(a, b) return a > b end)
        compare('sort', list(random(0, 200)))
      end
      """
    try withStockState { state in
      #expect(luaL_loadstring(state, source) == LUA_OK)
      lua_pushinteger(state, seed)
      let status = lua_pcallk(state, 1, 0, 0, 0, nil)
      let text = status == LUA_OK ? "" : lua_tolstring(state, -1, nil).map { String(cString: $0) } ?? ""
      #expect(status == LUA_OK, "seed \(seed): \(text)")
    }
  }

  /// A script's state with Lua's own libraries beside ours, as `stock` and `stocktable`.
  private func withStockState(_ body: (OpaquePointer) throws -> Void) throws {
    var callbacks = clb_callbacks()
    let host = try #require(clb_open(nil, &callbacks, 1 << 30))
    defer { clb_close(host) }
    let state = try #require(host.pointee.main)
    lua_pushcclosure(state, luaopen_string, 0)
    lua_callk(state, 0, 1, 0, nil)
    lua_setglobal(state, "stock")
    // Opening it made the metatable of strings point to it.
    #expect(luaL_loadstring(state, "return ...") == LUA_OK)
    lua_pushcclosure(state, luaopen_table, 0)
    lua_callk(state, 0, 1, 0, nil)
    lua_setglobal(state, "stocktable")
    lua_settop(state, 0)
    try body(state)
  }
}
