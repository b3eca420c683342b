import LuaHost
import LuaLibrary
import ScriptTestSupport
import Testing

@Suite struct JSONTests {
  @Test(
    "A Lua value has one JSON",
    arguments: [
      ("{}", "{}"), ("json.array{}", "[]"), ("{1, 2.5, 'x'}", "[1,2.5,\"x\"]"),
      ("{b = 1, a = {c = true}}", "{\"a\":{\"c\":true},\"b\":1}"), ("nil", "null"), ("json.null", "null"),
      ("{json.null, {}}", "[null,{}]"), ("{x = json.array{}}", "{\"x\":[]}"), ("json.array{1}", "[1]"),
      ("{json.array{}, {json.array()}}", "[[],[[]]]"), ("9223372036854775807", "9223372036854775807"),
      ("math.mininteger", "-9223372036854775808"), ("1e100", "1e+100"), ("0.1", "0.1"), ("1.0", "1.0"),
      ("'\\n\\t\\\\\\\"\\1é\\u{1F600}'", "\"\\n\\t\\\\\\\"\\u0001é😀\""), ("-0.0", "-0.0"),
    ])
  func encode(value: String, text: String) async throws {
    #expect(try await run("local json = moontide.json return json.encode(\(value))") == [.string(text)])
  }

  @Test("Pretty JSON is indented, and names stand in the order of their bytes")
  func pretty() async throws {
    let values = try await run(
      "return moontide.json.encode({ b = {1, {}}, a = moontide.json.array{}, C = 'x' }, { pretty = true })")
    #expect(
      values == [
        """
        {
          "C": "x",
          "a": [],
          "b": [
            1,
            {}
          ]
        }
        """
      ])
  }

  @Test(
    "What JSON cannot say is an error with its place",
    arguments: [
      ("{a = {1, 0/0}}", "the number nan has no JSON (at $.a[2])"),
      ("math.huge", "the number inf has no JSON (at $)"),
      ("{1, x = 2}", "a table has both a list and the field 'x' (at $) (JSON has either)"),
      (
        "{1, nil, 3}",
        "a table has both a list and the field '[3]' (at $) (a list must have no holes: put json.null into them)"
      ),
      ("{[5] = 1}", "the key [5] is no string (at $) (a list must begin at 1 and have no holes)"),
      ("{[true] = 1}", "the key [true] is no string (at $) (a list must begin at 1 and have no holes)"),
      ("{f = print}", "a function has no JSON (at $.f)"),
      ("'\\xff'", "a string is not UTF-8 (at $) (JSON is text)"),
    ])
  func unsayable(value: String, problem: String) async throws {
    let message = try await Surroundings().message("moontide.json.encode(\(value))")
    #expect(message.replacing("-nan", with: "nan") == "moontide.json.encode: \(problem)")
  }

  @Test("A table that refers to itself, and other misuse, is an error")
  func misuse() async throws {
    for source in [
      "local t = {} t.t = t moontide.json.encode(t)",
      "local t = moontide.json.array{} t[1] = t moontide.json.encode(t)",
      "moontide.json.encode()", "moontide.json.array(1)", "moontide.json.encode({}, {prety = true})",
      "moontide.json.decode()", "moontide.json.decode('1', {big = 'x'})",
      "moontide.json.empty = moontide.json.empty",
    ] {
      #expect(!(try await Surroundings().message(source)).isEmpty)
    }
  }

  @Test(
    "A JSON text is one Lua value",
    arguments: [
      (
        "[1,-2,3.0,1e2]",
        "#v == 4 and math.type(v[1]) == 'integer' and v[2] == -2 and math.type(v[3]) == 'float' and v[4] == 100.0"
      ),
      (" { \"a\" : { \"b\" : [ ] } } ", "json.encode(v) == '{\"a\":{\"b\":[]}}'"),
      ("9223372036854775807", "v == math.maxinteger"), ("-9223372036854775808", "v == math.mininteger"),
      ("\"\\u00e9\\ud83d\\ude00\\/\"", "v == 'é😀/'"), ("null", "v == json.null"),
      ("[null]", "v[1] == json.null and #v == 1"),
      ("{\"a\":1,\"a\":2}", "v.a == 2"), ("\u{feff}true", "v == true"),
      ("[[],{}]", "json.encode(v) == '[[],{}]'"),
      ("[]", "json.encode(v) == '[]' and #v == 0"), ("\"\\u0000\"", "v == '\\0'"),
      ("-0", "1/v == -math.huge"),
    ])
  func decode(text: String, check: String) async throws {
    let script = try LuaScript(LuaLibrary.configuration(Surroundings().context()))
    let values = try await script.load(
      source: "local json = moontide.json local v = json.decode((...)) return \(check)", name: "t.lua",
      arguments: [.string(text)])
    #expect(values == [true])
    await script.close()
  }

  @Test(
    "A mistake is found with its line and column",
    arguments: [
      ("", "line 1, column 1: the text ends where a value should be"),
      ("{\n \"é\": tru}", "line 2, column 7: a value wanted, found 't'"),
      ("[1,]", "line 1, column 4: a value wanted, found ']'"),
      ("[1 2]", "line 1, column 4: a comma or ] wanted, found '2'"),
      ("{a:1}", "line 1, column 2: a name in double quotes wanted, found 'a'"),
      ("{\"a\" 1}", "line 1, column 6: a colon wanted after the name, found '1'"),
      ("['x']", "line 1, column 2: a value wanted, found ' (JSON's strings have double quotes)"),
      ("01", "line 1, column 1: a number begins with 0"),
      ("1.", "line 1, column 3: a digit wanted after the point, found the end"),
      ("1e", "line 1, column 3: a digit wanted in the exponent, found the end"),
      ("-", "line 1, column 2: a digit wanted, found the end"),
      ("1e999", "line 1, column 1: a number is too large"),
      ("\"a", "line 1, column 1: a string is not closed"),
      (
        "\"a\nb\"",
        "line 1, column 3: a control character in a string (it has to be written as an escape: \\n)"
      ),
      ("\"\\x\"", "line 1, column 2: an escape that JSON does not know"),
      ("\"\\ud800\"", "line 1, column 2: half of a surrogate pair"),
      ("1 1", "line 1, column 3: there is more after the value"),
      (
        "9223372036854775808",
        "line 1, column 1: an integer needs more than 64 bits (decode with { big = \"float\" } or { big = \"string\" })"
      ),
    ])
  func mistakes(text: String, problem: String) throws {
    #expect(throws: (any Error).self) {
      do {
        _ = try JSONReader.read(Array(text.utf8))
      } catch {
        #expect("\(error)" == "moontide.json.decode: \(problem)")
        throw error
      }
    }
  }

  @Test("Nesting has an end, and big integers are taken when asked for")
  func edges() throws {
    let deep = String(repeating: "[", count: 99) + String(repeating: "]", count: 99)
    #expect(throws: Never.self) { try JSONReader.read(Array(deep.utf8)) }
    #expect(throws: LuaValueError.self) { try JSONReader.read(Array("[\(deep)]".utf8)) }
    let big = Array("18446744073709551615".utf8)
    #expect(try JSONReader.read(big, bigIntegers: .float).value == .number(18_446_744_073_709_551_616))
    #expect(try JSONReader.read(big, bigIntegers: .string).value == "18446744073709551615")
    #expect(throws: LuaValueError.self) { try JSONReader.read([0x22, 0xff, 0x22]) }
  }

  @Test("Ten thousand random values come back as they went")
  func roundTrip() throws {
    var random = Seeded(state: 20_260_408)
    for _ in 0..<10_000 {
      let value = randomValue(&random, depth: 4)
      let pretty = Bool.random(using: &random)
      let text = try JSONWriter.write(value, pretty: pretty)
      let back = try JSONReader.read(text).value
      #expect(back == value, "\(String(decoding: text, as: UTF8.self))")
      #expect(try JSONWriter.write(back, pretty: pretty) == text)
    }
  }

  private func randomValue(_ random: inout Seeded, depth: Int) -> LuaValue {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 7), using: &random) {
    case 0: return .boolean(.random(using: &random))
    case 1: return JSONMarks.null
    case 2: return .integer(Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random))
    case 3, 4:
      let number = Double(bitPattern: random.next())
      return .number(number.isFinite ? number : 0.5)
    case 5: return JSONMarks.emptyList
    case 6:
      let scalars = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
        Unicode.Scalar(
          UInt32.random(in: 0...0x10ffff, using: &random) >> UInt32.random(in: 0..<21, using: &random)) ?? "?"
      }
      return .string(String(String.UnicodeScalarView(scalars)))
    case 7:
      return .list(
        (0..<Int.random(in: 1..<5, using: &random)).map { _ in randomValue(&random, depth: depth - 1) })
    default:
      var table = LuaTable()
      for _ in 0..<Int.random(in: 0..<5, using: &random) {
        table["k\(random.next() % 100)"] = randomValue(&random, depth: depth - 1)
      }
      return .table(table)
    }
  }
}

/// Random numbers that are the same in every run (SplitMix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
