import LuaHost
import Testing

@Suite struct ErrorTests {
  @Test("A syntax error names the file and the line and shows it")
  func syntax() async throws {
    let error = try await failure("local x = 1\nlocal y = = 2\n")
    #expect(error.code == .syntax)
    #expect(error.place == "t.lua:2")
    #expect(error.message == "unexpected symbol near '='")
    #expect(error.sourceLine == "local y = = 2")
    #expect(error.report.contains("  2 | local y = = 2\n    |         ^"))
  }

  @Test("An error has its place, its source line with a caret, and a traceback that names host functions")
  func report() async throws {
    let script = try makeScript()
    let handler = try #require(
      try await script.load(
        source: """
          local function inner(file)
            return host.deep.nested.add(file.size.bytes, 1)
          end
          return function(file)
            local x = inner(file)
            return x
          end
          """, name: "r.lua")[0].function)
    do {
      _ = try await script.call(handler, [.fields(["size": .nil])], label: "rename of a.md")
      Issue.record("no error")
    } catch let error as LuaError {
      #expect(error.code == .failed)
      #expect(
        error.description
          == "rename of a.md: r.lua:2: attempt to index a nil value (field 'size') ('size' is nil here: is the name spelled right? If it may be absent, test it first)"
      )
      #expect(
        error.report.contains(
          "  2 |   return host.deep.nested.add(file.size.bytes, 1)\n    |                                    ^"
        ))
      #expect(error.traceback.count >= 2, "\(error.traceback)")
      #expect(error.traceback.allSatisfy { $0 != "[C]: in ?" })
    }
    let inHost = try await failure("local function f() host.deep.nested.add(1) end\nf()")
    #expect(inHost.traceback.first == "[C]: in function 'host.deep.nested.add'", "\(inHost.traceback)")
    #expect(inHost.message == "host.deep.nested.add: argument #2: integer wanted, got nothing")
    #expect(inHost.place == "t.lua:1")
  }

  @Test("A long traceback says in a line how much of it is left out")
  func longTraceback() async throws {
    let deep = try await failure(
      "local function f(n) if n == 0 then error('x') end f(n - 1) return n end f(400)")
    #expect(deep.traceback.count == 23, "\(deep.traceback)")
    #expect(deep.traceback.filter { $0.hasPrefix("...") } == ["... (381 more)"], "\(deep.traceback)")
    #expect(deep.traceback.allSatisfy { !$0.contains("\\t") })
    let deeper = try await failure(
      "local function f(n) if n == 0 then error('x') end f(n - 1) return n end f(5000)")
    #expect(deeper.traceback.last == "... and many more")
  }

  @Test("A traceback shows what ran inside of a coroutine, too")
  func coroutineTraceback() async throws {
    let error = try await failure(
      "local function inner() host.fail(1) end\nlocal function outer() coroutine.wrap(inner)() end\nouter()")
    let joined = error.traceback.joined(separator: "\n")
    #expect(error.traceback.first == "[C]: in function 'host.fail'", "\(joined)")
    #expect(joined.contains("t.lua:1: in function <t.lua:1>"), "\(joined)")
    #expect(
      joined.contains("t.lua:2: in upvalue 'outer'") || joined.contains("t.lua:2: in local 'outer'"),
      "\(joined)")
  }

  @Test("A traceback names functions of the host as scripts do, whatever they are written in")
  func namesInTraceback() async throws {
    let wrapped = LuaModule("host") { module in
      module.script(
        """
        local host = ...
        local fail = host.fail
        function host.fail(n) fail(n) end
        """)
    }
    let script = try LuaScript(
      LuaConfiguration(name: "test", modules: testModules(ManualClock()) + [wrapped]))
    do {
      _ = try await script.load(source: "local f = host.fail\nf(3)", name: "t.lua")
      Issue.record("no error")
    } catch let error as LuaError {
      #expect(error.traceback.first == "[C]: in function 'host.fail'", "\(error.traceback)")
      #expect(error.traceback.count { $0.contains("host.fail") } == 1, "\(error.traceback)")
      #expect(error.traceback.last == "t.lua:2: in main chunk", "\(error.traceback)")
    }
    let missing = try await failure("string.rep()\n")
    #expect(missing.traceback.first == "[C]: in function 'string.rep'", "\(missing.traceback)")
  }

  @Test("Where a function is defined can be asked")
  func definition() async throws {
    let script = try makeScript()
    let values = try await script.load(
      source: "local function f()\nend\nreturn f, host.fail, function() end", name: "t.lua")
    let functions = values.compactMap(\.function)
    #expect(
      await script.definition(of: functions[0])
        == LuaDefinition(script: "t.lua", line: 1, sourceLine: "local function f()"))
    #expect(await script.definition(of: functions[1]) == nil)
    #expect(await script.definition(of: functions[2])?.line == 3)
  }

  @Test("A Swift error that crosses the script comes out as the same error")
  func sameError() async throws {
    for source in [
      "host.fail(9)", "local ok, e = pcall(host.fail, 9) error(e)",
      "coroutine.wrap(function() host.fail(9) end)()",
      "local ok, e = coroutine.resume(coroutine.create(host.fail), 9) error(e, 0)",
      "host.apply(function() host.fail(9) end)",
      "local c <close> = setmetatable({}, {__close = function(_, e) host.later() error(e) end}) host.fail(9)",
      "xpcall(host.fail, function(e) kept = e end, 9) error(kept)",
    ] {
      let error = try await failure(source)
      #expect(error.underlying as? HostFailure == HostFailure(code: 9), "\(source): \(error)")
      #expect(error.message == "host failure 9")
    }
  }

  @Test(
    "Any value may be raised",
    arguments: [
      ("error(nil)", "nil"), ("error()", "nil"), ("error({})", "table: 0x"), ("error(true)", "true"),
      ("error(print)", "function: "), ("error(12)", "12"),
      ("error(setmetatable({}, {__tostring = function() return 'said so' end}))", "said so"),
      (
        "error(setmetatable({}, {__tostring = function() error('again') end}))",
        "the script raised a table value"
      ),
      ("error(setmetatable({}, {__tostring = function() return {} end}))", "the script raised a table value"),
      ("error(setmetatable({}, {__name = 'Mine'}))", "Mine: 0x"),
      ("error(coroutine.create(print))", "thread: "),
      ("local t = {} t.t = t error(t)", "table: 0x"),
      ("error({ message = 'hey\\n' })", "hey\\n"),
      ("error({ message = 12 })", "table: 0x"),
      ("error(setmetatable({}, { __index = function() error('no') end }))", "table: 0x"),
      (
        "error(setmetatable({ message = 'hidden' }, { __tostring = function() return 'shown' end }))", "shown"
      ),
      ("error('x\\n\\27[31mFAKE')", "x\\n\\u{1b}[31mFAKE"),
      ("error(('x'):rep(100000))", "xxxxx"),
      ("error(host.opaque('v'))", "verdict"),
    ])
  func anyValue(source: String, text: String) async throws {
    let error = try await failure(source)
    #expect(error.code == .failed)
    #expect(error.message.hasPrefix(text) || error.message.contains(text), "\(error.message)")
    #expect(error.message.count < 10_000)
    #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 0x20 })
  }

  @Test("A table that was raised can be read in Swift")
  func raisedTable() async throws {
    let error = try await failure("error { code = 5 }")
    #expect(error.value?.table?["code"] == 5)
  }

  @Test("A call after one that failed finds everything as it was")
  func afterFailure() async throws {
    let script = try makeScript()
    let values = try await script.load(
      source: "return function() error('x') end, function() return 1 end", name: "t.lua")
    let bad = try #require(values[0].function)
    let good = try #require(values[1].function)
    for _ in 0..<200 {
      await #expect(throws: LuaError.self) { try await script.call(bad) }
      #expect(try await script.call(good) == [1])
    }
  }

  @Test(
    "An argument of the wrong kind is named with what came and what was wanted",
    arguments: [
      ("host.sleep()", "host.sleep: argument #1: number wanted, got nothing"),
      ("host.sleep('1')", "host.sleep: argument #1: number wanted, got string \"1\""),
      ("host.sleep(0/0)", "host.sleep: argument #1: finite number of at least 0.0 wanted, got number -nan"),
      (
        "host.sleep(math.huge)",
        "host.sleep: argument #1: finite number of at least 0.0 wanted, got number inf"
      ),
      ("host.sleep(-1)", "host.sleep: argument #1: finite number of at least 0.0 wanted, got number -1"),
      (
        "host.fail(2^63)",
        "host.fail: argument #1: integer from 0 to 100 wanted, got number 9.223372036854776e+18"
      ),
      ("host.fail(1.5)", "host.fail: argument #1: integer from 0 to 100 wanted, got number 1.5"),
      ("host.fail({})", "host.fail: argument #1: integer from 0 to 100 wanted, got table"),
      ("host.book('\\xff')", "host.book: argument #1: UTF-8 text wanted, got string \"\u{fffd}\""),
      (
        "host.book('x'):repeated(host.opaque('v'))",
        "book:repeated: argument #1: integer from 0 to 10 wanted, got verdict"
      ),
      (
        "host.book('x').repeated(2)",
        "book:repeated: it was not called on a book (use a colon: book:repeated(), not book.repeated())"
      ),
      (
        "host.book('x').read()",
        "book:read: it was not called on a book (use a colon: book:read(), not book.read())"
      ),
      ("return host.book('x').titel", "book: there is no field 'titel' (did you mean 'title'?)"),
      (
        "return host.book('x')[1]",
        "book: there is no field 'number' (it has pages, read, repeated, summary, title)"
      ),
      ("host.book('x').title = 'y'", "a book cannot be changed: its field 'title' is read only"),
      ("host.slep(1)", "host: there is no 'slep' (did you mean 'sleep'?)"),
      ("host.deep.nested.addd(1)", "host.deep.nested: there is no 'addd' (did you mean 'add'?)"),
    ])
  func arguments(source: String, message: String) async throws {
    let error = try await failure(source)
    #expect(error.message.replacing("number nan", with: "number -nan") == message, "\(error.message)")
  }

  @Test("A host object shows its fields, methods and text, and nothing else")
  func objects() async throws {
    let values = try await run(
      "local b = host.book('x') return b.title, b.pages, b:repeated(2), tostring(b), getmetatable(b), type(b)"
    )
    #expect(values == ["x", 3, "xx", "book(x)", false, "userdata"])
    let script = try makeScript()
    let back = try await script.load(
      source: "return ...", name: "t.lua", arguments: [Book(title: "y", pages: 1).value])
    #expect(back[0].object(as: Book.self)?.title == "y")
  }

  @Test("What a result should have been is said with the label of the call")
  func results() async throws {
    let script = try makeScript()
    let handler = try #require(
      try await script.load(source: "return function() return 1, 'x' end", name: "t.lua")[0].function)
    do {
      _ = try await script.call(
        handler, label: "rename of a.md", arguments: { _ in }, results: { try $0.string(1) })
      Issue.record("no error")
    } catch {
      #expect("\(error)" == "rename of a.md: result 1: string wanted, got number 1")
    }
    #expect(try await script.call(handler, arguments: { _ in }, results: { try $0.string(2) }) == "x")
  }

  @Test("Named fields are checked, and unknown ones get the nearest known name")
  func fields() throws {
    let fields = LuaFields(
      LuaTable(fields: ["filname": "a", "size": "x", "list": .list(["a", 1])]),
      place: "files.create: argument #1")
    #expect(
      throws: LuaValueError(
        place: "files.create: argument #1", problem: "unknown field 'filname'",
        hint: "did you mean 'filename'?")
    ) { try fields.onlyKnown(["filename", "size", "list"]) }
    #expect(
      throws: LuaValueError(
        place: "files.create: argument #1: field 'size'", wanted: "integer of at least 0", got: "string \"x\""
      )
    ) { try fields.optionalInt("size", in: 0...Int.max) }
    #expect(
      throws: LuaValueError(
        place: "files.create: argument #1: field 'list[2]'", wanted: "string", got: "number 1")
    ) { try fields.optionalStrings("list") }
    #expect(throws: LuaValueError.self) { try fields.string("absent") }
    #expect(try fields.optionalString("absent") == nil)
  }
}
