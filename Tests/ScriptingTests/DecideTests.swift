import FileSessions
import Ingestion
import LuaHost
import LuaLibrary
import ScriptTestSupport
import Scripting
import Testing
import Workspace

@Suite struct DecideTests {
  @Test(
    "A key's value and what its function returns decide alike",
    arguments: [
      ("", Ruling.send(Wishes())),
      ("accept = true", .send(Wishes())),
      ("accept = false", .skip(reason: "not accepted")),
      ("accept = moontide.skip('old')", .skip(reason: "old")),
      ("accept = function(file) return file.ext == '.md' end", .send(Wishes())),
      ("accept = function() return false end", .skip(reason: "not accepted")),
      ("accept = function() return moontide.skip() end", .skip(reason: nil)),
      ("accept = function() return moontide.reject('no title') end", .reject(reason: "no title")),
      (
        "accept = function() return moontide.defer(60, 'later') end", .postpone(.seconds(60), reason: "later")
      ),
      ("rename = '{stem}-x{ext}'", .send(Wishes(filename: "a b-x.md"))),
      ("rename = function(file) return file.stem:upper() .. file.ext end", .send(Wishes(filename: "A B.md"))),
      (
        "rename = function(file) return file.path:gsub('/', '--') end",
        .send(Wishes(filename: "notes--a b.md"))
      ),
      ("rename = function() return moontide.skip('dup') end", .skip(reason: "dup")),
      ("mime_type = 'text/plain'", .send(Wishes(mimeType: "text/plain"))),
      ("mime_type = function(file) return file.mime_type end", .send(Wishes(mimeType: "text/markdown"))),
      ("mime_type = function() end", .send(Wishes())),
      ("mime_type = function() return nil end", .send(Wishes())),
      ("purpose = 'knowledge_user'", .send(Wishes(purpose: .knowledgeUser))),
      (
        "purpose = function(f) if f.stem == 'a b' then return 'knowledge_user' end end",
        .send(Wishes(purpose: .knowledgeUser))
      ),
      ("purpose = function() end", .send(Wishes())),
      ("purpose = function() return moontide.reject('bad') end", .reject(reason: "bad")),
      ("decide = moontide.skip('none')", .skip(reason: "none")),
      (
        "decide = { filename = '{stem}.txt', purpose = 'x' }",
        .send(Wishes(filename: "a b.txt", purpose: Purpose(rawValue: "x")))
      ),
      (
        "decide = function() return { filename = 'n', mime_type = 'a/b', purpose = 'p' } end",
        .send(Wishes(filename: "n", mimeType: "a/b", purpose: Purpose(rawValue: "p")))
      ),
      ("decide = function() return {} end", .send(Wishes())),
      ("decide = function() return moontide.defer(1.5) end", .postpone(.milliseconds(1500), reason: nil)),
    ])
  func conversions(lines: String, ruling: Ruling) async throws {
    #expect(try await Bench().ruling(lines).anonymous == ruling)
  }

  @Test(
    "A verdict names its handler, with the line of the verdict, the function or the key",
    arguments: [
      ("\naccept = false", "accept (r.lua:3)"),
      ("accept = moontide.skip('old')", "accept (r.lua:2)"),
      ("accept = function()\nreturn false end", "accept (r.lua:2)"),
      ("accept = function()\nlocal verdict = moontide.reject('no')\nreturn verdict end", "accept (r.lua:3)"),
      ("accept = function()\nreturn moontide.defer(5) end", "accept (r.lua:3)"),
      ("accept = true, rename = function()\nlocal v = moontide.skip()\nreturn v end", "rename (r.lua:3)"),
      ("prepare = function() return {} end", "prepare (r.lua:2)"),
    ])
  func deciders(lines: String, decider: String) async throws {
    #expect(try await Bench().ruling(lines).decider == decider)
  }

  @Test(
    "A recipe names the handlers that decide about a file that is sent",
    arguments: [
      (
        "accept = true,\nrename = '{stem}',\npurpose = function() end",
        "accept (r.lua:2), rename (r.lua:3), purpose (r.lua:4)"
      ),
      ("\ndecide = function() return {} end", "decide (r.lua:3)"),
      ("prepare = function() end", "prepare (r.lua:2)"),
      ("", nil),
    ] as [(String, String?)])
  func senders(lines: String, deciders: String?) async throws {
    let recipe = try await Bench().recipe(wrap(lines))
    #expect(recipe.deciders == deciders)
    await recipe.close()
  }

  @Test(
    "An answer of the wrong kind says which handler, which file, what came and what was wanted",
    arguments: [
      (
        "accept = function() end",
        "r.lua:2: in accept for notes/a b.md: accept returned nothing; it takes true, false, or a verdict such as moontide.skip(\"why\")"
      ),
      (
        "accept = function() return nil end",
        "r.lua:2: in accept for notes/a b.md: accept returned nil; it takes true, false, or a verdict such as moontide.skip(\"why\")"
      ),
      (
        "accept = function() return 'yes' end",
        "r.lua:2: in accept for notes/a b.md: accept returned a string (\"yes\"); it takes true, false, or a verdict such as moontide.skip(\"why\")"
      ),
      (
        "accept = function() return moontide.skip end",
        "r.lua:2: in accept for notes/a b.md: accept returned a function; it takes true, false, or a verdict such as moontide.skip(\"why\") (was it meant to be called? moontide.skip(\"why\"))"
      ),
      (
        "\nrename = function() return 42 end",
        "r.lua:3: in rename for notes/a b.md: rename returned a number (42); it takes a string (the filename to ask for)"
      ),
      (
        "rename = function() end",
        "r.lua:2: in rename for notes/a b.md: rename returned nothing; it takes a string (the filename to ask for)"
      ),
      (
        "rename = function() return '' end",
        "r.lua:2: in rename for notes/a b.md: rename returned an empty filename; it takes 1 to 255 characters"
      ),
      (
        "rename = function() return ('é'):rep(256) end",
        "r.lua:2: in rename for notes/a b.md: rename returned a filename of 256 characters; it takes 1 to 255"
      ),
      (
        "rename = function() return '\\xff' end",
        "r.lua:2: in rename for notes/a b.md: rename returned a string that is not UTF-8; it takes a string (the filename to ask for)"
      ),
      (
        "mime_type = function() return 'markdown' end",
        "r.lua:2: in mime_type for notes/a b.md: mime_type returned a string (\"markdown\"); it takes a MIME type such as \"text/plain\", or nil to detect it"
      ),
      (
        "purpose = function() return {} end",
        "r.lua:2: in purpose for notes/a b.md: purpose returned a table; it takes a purpose such as \"knowledge_workspace\", or nil"
      ),
      (
        "purpose = function() return true end",
        "r.lua:2: in purpose for notes/a b.md: purpose returned true; it takes a purpose such as \"knowledge_workspace\", or nil"
      ),
      (
        "decide = function() end",
        "r.lua:2: in decide for notes/a b.md: decide returned nothing; it takes a verdict, or a table of filename, mime_type, purpose and data"
      ),
      (
        "decide = function() return { filname = 'x' } end",
        "r.lua:2: in decide for notes/a b.md: decide returned a table with the unknown field `filname`; did you mean `filename`?"
      ),
      (
        "decide = function(f) return f end",
        "r.lua:2: in decide for notes/a b.md: decide returned a file; it takes a verdict, or a table of filename, mime_type, purpose and data"
      ),
    ])
  func wrongAnswers(lines: String, message: String) async throws {
    let failure = try await Bench().fault(lines)
    #expect(failure.message == message)
    #expect(failure.kind == .script)
    #expect(failure.handler == String(message.split(separator: " ")[2]))
  }

  @Test(
    "A handler's error says script, line, handler and file",
    arguments: [
      (
        "\nrename = function(f)\n local x\n return x.y end",
        "r.lua:5: in rename for notes/a b.md: attempt to index a nil value (local 'x')"
      ),
      ("accept = function() error('no luck') end", "r.lua:2: in accept for notes/a b.md: no luck"),
      ("accept = function() error({}) end", "r.lua:2: in accept for notes/a b.md:"),
      ("accept = function() error(nil) end", "r.lua:2: in accept for notes/a b.md:"),
      (
        "accept = function(f) return f.sise > 1 end",
        "r.lua:2: in accept for notes/a b.md: file: there is no field 'sise' (did you mean 'size'?)"
      ),
      (
        "accept = function(f) return f.read(1) == '' end",
        "r.lua:2: in accept for notes/a b.md: file:read: it was not called on a file (use a colon: file:read(), not file.read())"
      ),
      (
        "accept = function(f) return moontide.skp('x') end",
        "r.lua:2: in accept for notes/a b.md: moontide: there is no 'skp' (did you mean 'skip'?)"
      ),
      (
        "accept = function(f) return moontide.reject() end",
        "r.lua:2: in accept for notes/a b.md: moontide.reject: argument #1: string wanted, got nothing"
      ),
      (
        "accept = function(f) return moontide.defer(-1) end",
        "r.lua:2: in accept for notes/a b.md: moontide.defer: argument #1: finite number of at least 0.0 wanted, got number -1"
      ),
      (
        "accept = function(f) return moontide.defer(1e12) end",
        "r.lua:2: in accept for notes/a b.md: moontide.defer: argument #1: 1000000000000.0 seconds are more than a year"
      ),
      (
        "accept = function(f) moontide.fs.read('no.txt') end",
        "r.lua:2: in accept for notes/a b.md: cannot read \"no.txt\""
      ),
      (
        "accept = function(f) error('\\27[31mred\\n') end",
        "r.lua:2: in accept for notes/a b.md: \\u{1b}[31mred\\n"
      ),
    ])
  func faults(lines: String, message: String) async throws {
    let failure = try await Bench().fault(lines)
    #expect(failure.message.hasPrefix(message), "\(failure.message)")
    #expect(!failure.message.contains("\n"))
    #expect(failure.trace?.contains("r.lua:") == true)
  }

  @Test("What is said of a handler's error shows the source line with a caret, and who called what")
  func trace() async throws {
    let failure = try await Bench().fault(
      "accept = function(f)\n  local text = moontide.fs.read('no.txt')\n  return true end")
    let lines = failure.trace?.split(separator: "\n").map(String.init) ?? []
    #expect(lines.first == "  3 |   local text = moontide.fs.read('no.txt')", "\(lines)")
    #expect(lines.dropFirst().first == "    |   ^", "\(lines)")
    #expect(lines.contains { $0.contains("[C]: in function 'moontide.fs.read'") }, "\(lines)")
    #expect(lines.contains { $0.contains("r.lua:3: in ") }, "\(lines)")
  }

  @Test("A wrong result is placed where the handler's function begins, also in a module")
  func wrongResultTrace() async throws {
    let bench = try Bench()
    let here = try await bench.fault("accept = function(f)\n  return 5\nend")
    #expect(here.message.hasPrefix("r.lua:2: in accept for notes/a b.md: accept returned a number (5)"))
    #expect(here.trace == "  2 | accept = function(f)\n    | ^\n    r.lua:2: in function <r.lua:2>")
    try bench.project.write("lib/shared.lua", "return {\n  accept = function(f) return 5 end,\n}\n")
    let there = try await bench.fault("accept = require('shared').accept")
    #expect(there.message.hasPrefix("lib/shared.lua:2: in accept for notes/a b.md: "), "\(there.message)")
    #expect(there.trace?.hasPrefix("  2 |   accept = function(f) return 5 end,\n") == true, "\(there)")
    let constant = try await bench.fault(
      "rename = '{stem}{stem}'", of: String(repeating: "n", count: 150) + ".md")
    #expect(constant.trace?.hasPrefix("  2 | rename = '{stem}{stem}'\n    | ^") == true, "\(constant)")
  }

  @Test("A handler that runs out of memory is said with the line that ran out")
  func memory() async throws {
    let bench = try Bench()
    let recipe = try await LuaRecipe.load(
      ScriptSource(
        name: "r.lua",
        text: wrap("accept = function(f)\n  kept = {}\n  for i = 1, 1e9 do\n    kept[i] = { i }\n  end\nend")),
      context: bench.surroundings.context(), limits: LuaLimits(memory: 8 << 20))
    try bench.project.write("a.md")
    let ruling = await recipe.decide([try bench.candidate("a.md")])[0]
    guard case .fault(let failure) = ruling else {
      Issue.record("\(ruling)")
      return
    }
    #expect(failure.message.hasPrefix("r.lua:5: in accept for a.md: stopped: "), "\(failure.message)")
    await recipe.close()
  }

  @Test("The first refusal ends the deciding, and one file's fault is no other's")
  func order() async throws {
    let bench = try Bench()
    let recipe = try await bench.recipe(
      wrap(
        """
        accept = function(f) print("accept", f.name) return f.name ~= "b.md" end,
        rename = function(f) print("rename", f.name) if f.name == "c.md" then error("bad") end return f.name end,
        mime_type = function(f) print("mime_type", f.name) return moontide.skip("enough") end,
        purpose = function(f) print("purpose") end,
        """))
    let candidates = try ["a.md", "b.md", "c.md"].map { name in
      try bench.project.write(name)
      return try bench.candidate(name)
    }
    let rulings = await recipe.decide(candidates)
    #expect(rulings[0] == .skip(reason: "enough", by: "mime_type (r.lua:4)"))
    #expect(rulings[1] == .skip(reason: "not accepted", by: "accept (r.lua:2)"))
    guard case .fault = rulings[2] else {
      Issue.record("\(rulings[2])")
      return
    }
    #expect(
      bench.log == [
        "info: accept\ta.md", "info: rename\ta.md", "info: mime_type\ta.md", "info: accept\tb.md",
        "info: accept\tc.md", "info: rename\tc.md",
      ])
    await recipe.close()
  }

  @Test("Handlers that wait do so together, and the rulings keep the candidates' order")
  func waiting() async throws {
    let bench = try Bench()
    let gate = Gate(100)
    let recipe = try await LuaRecipe.load(
      ScriptSource(
        name: "r.lua", text: wrap("rename = function(f) moontide.sleep(1) return 'x-' .. f.name end")),
      context: bench.surroundings.context(sleep: { _ in await gate.arrive() }))
    let candidates = try (0..<100).map { index in
      try bench.project.write("f\(index).md")
      return try bench.candidate("f\(index).md")
    }
    let rulings = await recipe.decide(candidates)
    #expect(rulings == (0..<100).map { .send(Wishes(filename: "x-f\($0).md")) })
    await recipe.close()
  }

  @Test("A run that is stopped asks the files again that were being decided")
  func cancelled() async throws {
    let bench = try Bench()
    let started = Gate(2)
    let recipe = try await LuaRecipe.load(
      ScriptSource(name: "r.lua", text: wrap("accept = function(f) moontide.sleep(1) return true end")),
      context: bench.surroundings.context(sleep: { _ in
        await started.arrive()
        try await Task.sleep(for: .seconds(3600))
      }))
    try bench.project.write("a.md")
    let candidate = try bench.candidate("a.md")
    let deciding = Task { await recipe.decide([candidate]) }
    await started.arrive()
    deciding.cancel()
    #expect(await deciding.value == [.unasked])
    await recipe.close()
  }

  @Test("Every candidate of many pages gets a ruling")
  func manyPages() async throws {
    let bench = try Bench()
    try bench.project.write("a.md")
    let candidate = try bench.candidate("a.md")
    let recipe = try await bench.recipe(wrap("rename = function(f) return (f.relative:gsub('/', '--')) end"))
    for _ in 0..<40 {
      let rulings = await recipe.decide(Array(repeating: candidate, count: 250))
      #expect(rulings == Array(repeating: .send(Wishes(filename: "a.md")), count: 250))
    }
    await recipe.close()
  }
}
