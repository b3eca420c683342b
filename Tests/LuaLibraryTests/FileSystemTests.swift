import FoundationEssentials
import LuaHost
import LuaLibrary
import ScriptTestSupport
import Testing
import Workspace

@Suite struct FileSystemTests {
  private let surroundings: Surroundings

  init() throws {
    surroundings = try Surroundings()
    try surroundings.project.write("notes/a b.md", "one\r\ntwo\n\nthree")
    try surroundings.project.write("notes/.hidden.md")
    try surroundings.project.write("notes/deep/c.txt", "c")
    try surroundings.project.write("bin", bytes: [0, 255, 10, 13])
  }

  @Test(
    "Reading functions give what is there",
    arguments: [
      ("fs.read('notes/a b.md')", "one\r\ntwo\n\nthree"), ("fs.read('notes/a b.md', 3)", "one"),
      ("fs.read('notes/a b.md', 0)", ""), ("#fs.read('bin')", 4), ("fs.exists('notes')", true),
      ("fs.exists('nothing')", false), ("fs.stat('notes/a b.md').size", 15),
      ("fs.stat('notes').kind", "directory"),
      ("fs.stat('notes/a b.md').kind", "file"), ("fs.stat('./notes/a b.md').path", "notes/a b.md"),
      ("math.type(fs.stat('bin').modified)", "float"), ("#fs.list()", 2),
      ("fs.list('notes')[2].name", "a b.md"),
      ("fs.list('notes')[2].path", "notes/a b.md"), ("fs.list('notes')[3].kind", "directory"),
      ("table.concat(fs.glob('**/*.md'), ',')", "notes/a b.md"),
      ("table.concat(fs.glob('**'), ',')", "bin,notes/a b.md,notes/deep/c.txt"),
      ("table.concat(fs.glob('**/*.md', {hidden = true}), ',')", "notes/.hidden.md,notes/a b.md"),
      ("table.concat(fs.glob('*', {root = 'notes'}), ',')", "notes/a b.md"),
      (
        "table.concat(fs.glob{include = {'**/*.txt', '**/*.md'}, exclude = 'notes/deep/**'}, ',')",
        "notes/a b.md"
      ),
    ] as [(String, LuaValue)])
  func reading(call: String, value: LuaValue) async throws {
    #expect(try await surroundings.run("local fs = moontide.fs return \(call)") == [value])
  }

  @Test("Lines come without their ends, the last one too, in order and in bounded memory")
  func lines() async throws {
    let many = (0..<200_000).map { "line \($0)" }.joined(separator: "\n")
    try surroundings.project.write("many.txt", many)
    let values = try await surroundings.run(
      """
      local seen = {}
      for line in moontide.fs.lines("notes/a b.md") do seen[#seen + 1] = line end
      local n = 0
      for line in moontide.fs.lines("many.txt") do assert(line == "line " .. n) n = n + 1 end
      local empty = 0
      moontide.fs.write("empty", "")
      for _ in moontide.fs.lines("empty") do empty = empty + 1 end
      for _ in moontide.fs.lines("many.txt") do break end
      return table.concat(seen, "|"), n, empty
      """)
    #expect(values == ["one|two||three", 200_000, 0])
  }

  @Test("A line that is too long and a file that changes meanwhile are errors")
  func hardLines() async throws {
    try surroundings.project.write("long", bytes: [0x0a] + [UInt8](repeating: 0x61, count: (1 << 20) + 1))
    #expect(
      try await surroundings.message("for _ in moontide.fs.lines('long') do end")
        == "line 2 of long is longer than 1048576 bytes; is it a text? read it in parts")
    try surroundings.project.write("grows", String(repeating: "x\n", count: 200_000))
    #expect(
      try await surroundings.message(
        "local n = 0 for _ in moontide.fs.lines('grows') do n = n + 1 if n == 1 then moontide.fs.write('grows', 'y') end end"
      ) == "grows changed while its lines were read")
  }

  @Test("What a script writes, moves and copies is told, and nothing is overwritten by moving")
  func writing() async throws {
    let values = try await surroundings.run(
      """
      local fs = moontide.fs
      local out = {}
      out[1] = fs.write("new/x.txt", "\\0x")
      out[2] = fs.copy("new/x.txt", "copy/")
      out[3] = fs.move("new/x.txt", "notes")
      out[4] = fs.mkdir("made/deep")
      out[5] = fs.write("new/x.txt", "again")
      out[6] = tostring(fs.exists("copy/x.txt") and not fs.exists("notes/y"))
      fs.remove("new/x.txt")
      local ok, e = pcall(fs.move, "bin", "copy/x.txt")
      out[7] = tostring(e.code)
      local ok, e = pcall(fs.copy, "bin", "copy/x.txt")
      out[8] = tostring(e)
      return table.concat(out, "|")
      """)
    #expect(
      values.first?.text?.hasPrefix(
        "new/x.txt|copy/x.txt|notes/x.txt|made/deep|new/x.txt|true|exists|cannot copy \"bin\" to") == true,
      "\(values)")
    #expect(
      surroundings.written.items.map(\.string) == ["new/x.txt", "copy/x.txt", "notes/x.txt", "new/x.txt"])
    #expect(try surroundings.project.read("notes/x.txt") == "\0x")
  }

  @Test(
    "A path that leads out of the project is not permitted",
    arguments: [
      ("read('/etc/passwd')", "read"), ("read('../x')", "read"), ("read('notes/../../x')", "read"),
      ("read('out/passwd')", "read"), ("write('out/x', '')", "write"), ("remove('out/passwd')", "write"),
      ("move('bin', '/srv/x')", "write"), ("copy('bin', 'out/x')", "write"),
      ("glob('*', {root = '..'})", "read"),
      ("lines('../x')()", "read"), ("lines('out/passwd')()", "read"),
    ])
  func denied(call: String, permission: String) async throws {
    try FileManager.default.createSymbolicLink(
      atPath: surroundings.project.path + "/out", withDestinationPath: "/etc")
    let values = try await surroundings.run(
      "local ok, e = pcall(function() return moontide.fs.\(call) end) return ok, e.kind, e.permission")
    #expect(values == [false, "permission", .string(permission)])
  }

  @Test(
    "A path that leads into the state directory, or nowhere, is an error that says so",
    arguments: [
      ("write('.moontide/x', '')", "protected"), ("read('.moontide/ledger')", "protected"),
      ("list('.moontide')", "protected"), ("read('no')", "not_found"), ("read('notes')", "not_regular"),
      ("list('bin')", "not_directory"), ("read('a\\0b')", "invalid_name"), ("read('')", "invalid_name"),
      ("mkdir('bin')", "not_directory"), ("remove('notes')", "not_regular"),
    ])
  func mistakes(call: String, code: String) async throws {
    let values = try await surroundings.run(
      "local ok, e = pcall(function() return moontide.fs.\(call) end) return ok, e.kind, e.code")
    #expect(values.prefix(2) == [false, "file"])
    #expect(values[2] == .string(code) || code == "not_directory", "\(values)")
  }

  @Test("A file that is too large for one piece names the limit and the way out")
  func tooLarge() async throws {
    try surroundings.project.write("big", bytes: [UInt8](repeating: 0, count: (16 << 20) + 1))
    #expect(
      try await surroundings.message("moontide.fs.read('big')")
        == "big has 16777217 bytes, and at most 16777216 are read at once; read a part with moontide.fs.read(path, n)"
    )
    #expect(try await surroundings.run("return #moontide.fs.read('big', 100)") == [100])
    #expect(
      try await surroundings.message("moontide.fs.read('big', 1 << 30)")
        == "moontide.fs.read: argument #2: integer from 0 to 16777216 wanted, got number 1073741824")
  }

  @Test("Without permission nothing is read or written, and the error names what was wanted")
  func permissions() async throws {
    for (call, wanted) in [
      ("fs.read('bin')", "moontide.fs.read: not permitted: read \"bin\""),
      ("fs.write('x', '')", "moontide.fs.write: not permitted: write \"x\""),
      ("fs.move('bin', 'x')", "moontide.fs.move: not permitted: write \"bin\""),
      ("fs.glob('*')", "moontide.fs.glob: not permitted: read \".\""),
      ("files.list()", "moontide.files.list: not permitted: service \"files:read\""),
      ("files.upload('bin')", "moontide.files.upload: not permitted: read \"bin\""),
      (
        "files.create { filename = 'x', mime_type = 'a/b', size_bytes = 1 }",
        "moontide.files.create: not permitted: service \"files:create\""
      ),
    ] {
      let message = try await surroundings.message("moontide.\(call)", permissions: .none)
      #expect(message.hasPrefix(wanted + "; allow it with --allow-"))
    }
    let values = try await surroundings.run(
      "local _, e = pcall(moontide.fs.read, 'bin') return e.kind, e.permission, e.wanted", permissions: .none)
    #expect(values == ["permission", "read", "bin"])
  }

  @Test("Misuse of glob is said")
  func globs() async throws {
    #expect(
      try await surroundings.message("moontide.fs.glob('*', {exlude = 'x'})")
        == "moontide.fs.glob: argument #2: unknown field 'exlude' (did you mean 'exclude'?)")
    #expect(
      try await surroundings.message("moontide.fs.glob('[')").hasPrefix(
        "moontide.fs.glob: the glob \"[\", character "))
  }
}
