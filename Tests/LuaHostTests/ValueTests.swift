import LuaHost
import Testing

@Suite struct ValueTests {
  @Test(
    "A value goes into a script and comes back as it was",
    arguments: [
      LuaValue.nil, true, false, .integer(.max), .integer(.min), .integer(0), .number(0.5),
      .number(.infinity),
      .number(-0.0), .number(1), .number(0x1p63), "", "grün", .bytes([0, 255, 10, 0]),
      .table(LuaTable()), .list([1, .number(1), "1", .list([])]),
      .table(
        LuaTable(array: [1, 2], fields: ["a": 1, .integer(-1): true, .number(1.5): "x", .boolean(false): 0])),
      .table(LuaTable(fields: [.integer(3): 3, .integer(1 << 40): 4])),
    ])
  func roundTrip(value: LuaValue) async throws {
    let script = try makeScript()
    #expect(try await script.load(source: "return ...", name: "t.lua", arguments: [value]) == [value])
    #expect(
      try await script.load(source: "return host.echo(...)", name: "t.lua", arguments: [value]) == [value])
    #expect(
      try await script.load(source: "return host.later(...)", name: "t.lua", arguments: [value]) == [value])
  }

  @Test("Random values go into a script and come back as they were")
  func randomRoundTrip() async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let script = try makeScript()
    let function = try #require(
      try await script.load(source: "return function(...) return host.echo(...) end", name: "t.lua")[0]
        .function)
    for _ in 0..<2_000 {
      let values = (0..<Int.random(in: 1...4, using: &random)).map { _ in random.value(depth: 4) }
      let back = try await script.call(function, values)
      #expect(back == values, "seed \(seed)")
    }
  }

  @Test("NaN stays NaN, and an integer stays apart from a float")
  func subtypes() async throws {
    let values = try await run(
      "local n = ... return n ~= n, math.type(1), math.type(1.0), 2^53", [.number(.nan)])
    #expect(values == [true, "integer", "float", .number(0x1p53)])
  }

  @Test("Holes in results and in lists are kept")
  func holes() async throws {
    #expect(try await run("return nil, 1, nil") == [.nil, 1, .nil])
    let table = try #require(try await run("return {1, nil, 3}")[0].table)
    #expect(table.array == [1])
    #expect(table.fields == [.integer(3): 3])
    let back = try await run("local t = ... return t[1], t[2], t[3]", [.list([1, .nil, 3])])
    #expect(back == [1, .nil, 3])
  }

  @Test(
    "A table that cannot be copied is an error that says why",
    arguments: [
      (
        "local t = {} t.t = t return t",
        "result 1: the table refers to itself or nests deeper than 100 levels"
      ),
      (
        "local t = {} for i = 1, 150 do t = {t} end return t",
        "result 1: the table refers to itself or nests deeper than 100 levels"
      ),
      (
        "local t = {} for i = 1, 60 do t = {t, t} end return t",
        "result 1: the table has too many values to be copied"
      ),
      ("return {[{}] = 1}", "result 1: the table has a table as a key, use strings or numbers"),
      ("return {[print] = 1}", "result 1: the table has a function as a key, use strings or numbers"),
      (
        "local t = {} t.t = t host.echo(t)",
        "host.echo: argument #1: the table refers to itself or nests deeper than 100 levels"
      ),
    ])
  func uncopiable(source: String, message: String) async throws {
    let script = try makeScript()
    do {
      _ = try await script.load(source: source, name: "t.lua")
      Issue.record("no error")
    } catch {
      #expect("\(error)".contains(message), "\(error)")
    }
  }

  @Test("A value that nests too deep, or has NaN as a key, is refused on the way in")
  func refusedOnTheWayIn() async throws {
    var deep = LuaValue.list([])
    for _ in 0..<120 { deep = .list([deep]) }
    let script = try makeScript()
    await #expect(throws: LuaValueError.self) {
      try await script.load(source: "return 1", name: "t.lua", arguments: [deep])
    }
    let nan = LuaValue.table(LuaTable(fields: [.number(.nan): 1]))
    await #expect(throws: LuaValueError.self) {
      try await script.load(source: "return 1", name: "t.lua", arguments: [nan])
    }
    #expect(try await script.load(source: "return 1", name: "t.lua") == [1])
  }

  @Test("A function stays in its script, and can be called until it is released")
  func functions() async throws {
    let script = try makeScript()
    let values = try await script.load(
      source: "local n = 0 return function(d) n = n + d return n end", name: "t.lua")
    let count = try #require(values[0].function)
    #expect(try await script.call(count, [2]) == [2])
    #expect(try await script.call(count, [3]) == [5])
    let same = try await script.load(
      source: "local f = ... return f(1)", name: "t.lua", arguments: [.function(count)])
    #expect(same == [6])
  }

  @Test("A function of another script is refused")
  func foreignFunction() async throws {
    let first = try makeScript()
    let second = try makeScript()
    let function = try #require(try await first.load(source: "return print", name: "t.lua")[0].function)
    await #expect(throws: LuaValueError.self) { try await second.call(function) }
    await #expect(throws: LuaValueError.self) {
      try await second.load(source: "return 1", name: "t.lua", arguments: [.function(function)])
    }
  }

  @Test("What Swift no longer refers to is collected by the script")
  func releases() async throws {
    let script = try makeScript()
    let make = try #require(
      try await script.load(
        source: "return function() local s = ('x'):rep(100000) return function() return s end end",
        name: "t.lua")[0]
        .function)
    for _ in 0..<2_000 { _ = try await script.call(make) }
    #expect(await script.memory < 20 << 20)
  }

  @Test("A host value that a script returns is the Swift value again")
  func opaque() async throws {
    let values = try await run("local v = host.opaque('skip') return v, tostring(v), type(v), v == v")
    #expect(values[0].object(as: String.self) == "skip")
    #expect(values[1...] == ["verdict", "userdata", true])
    #expect(values[0].typeName == "verdict")
  }
}

/// A generator that gives the same sequence for the same seed (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func value(depth: Int) -> LuaValue {
    switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &self) {
    case 0: return .boolean(.random(using: &self))
    case 1: return .integer(Int64(bitPattern: next()))
    case 2: return .number(double())
    case 3, 4: return .string(string())
    default: return .table(table(depth: depth - 1))
    }
  }

  private mutating func double() -> Double {
    let value = Double(bitPattern: next())
    return value.isNaN ? 0.25 : value
  }

  private mutating func string() -> LuaString {
    LuaString(
      bytes: (0..<Int.random(in: 0..<60, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) })
  }

  private mutating func table(depth: Int) -> LuaTable {
    var table = LuaTable()
    for _ in 0..<Int.random(in: 0..<5, using: &self) { table.array.append(value(depth: depth)) }
    for _ in 0..<Int.random(in: 0..<5, using: &self) {
      let key: LuaKey
      switch Int.random(in: 0..<4, using: &self) {
      case 0: key = .boolean(.random(using: &self))
      case 1: key = .integer(Int64.random(in: 100...Int64.max, using: &self))
      case 2: key = .number(Double(Int.random(in: 0..<1000, using: &self)) + 0.5)
      default: key = .string(string())
      }
      table.fields[key] = value(depth: depth)
    }
    return table
  }
}
