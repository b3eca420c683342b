import FileSessions
import Ingestion
import LuaHost
import Testing
import Workspace

@Suite("What `prepare` gives is sent instead of the file")
struct PrepareTests {
  private func wishes(_ lines: String, of path: String = "notes/a.md") async throws -> Wishes {
    let ruling = try await Bench().ruling(lines, of: path)
    guard case .send(let wishes) = ruling else {
      Issue.record("not sent: \(ruling)")
      return Wishes()
    }
    return wishes
  }

  @Test("a path in its directory, a path of the project, or nothing")
  func places() async throws {
    let made = try await wishes(
      "prepare = function(file, work) return moontide.fs.write(work .. '/x/' .. file.stem .. '.txt', file:read()) end"
    )
    #expect(made.content?.place == .work("x/a.txt"))
    #expect(made.content?.stamp.size == 5)
    let there = try await wishes("prepare = function(file) return file.path end")
    #expect(there.content?.place == .project("notes/a.md"))
    #expect(try await wishes("prepare = function() end").content == nil)
  }

  @Test("later handlers see it as file.prepared, and a template is about its name")
  func handlers() async throws {
    let write = "prepare = function(file, work) return moontide.fs.write(work .. '/b.txt', 'made\\n') end,\n"
    let named = try await wishes(
      write + """
        rename = function(file)
          local made = file.prepared
          return table.concat({ file.name, made.name, made.stem, made.ext, made.size, made.mime_type,
            made:read(2), made:tail(2), made:lines()(), moontide.fs.read(made.path, 1) }, ' ')
        end
        """)
    #expect(named.filename == "a.md b.txt b .txt 5 text/plain ma e\n made m")
    #expect(try await wishes(write + "rename = '{stem}-1{ext}'").filename == "b-1.txt")
    #expect(try await wishes("rename = function(file) return tostring(file.prepared) end").filename == "nil")
    let decided = try await wishes(
      write + "decide = function(file) return { filename = file.prepared.name } end")
    #expect(decided.filename == "b.txt" && decided.content != nil)
  }

  @Test("a list makes parts, each decided by itself; what is skipped is left out")
  func parts() async throws {
    let lines = """
      prepare = function(file, work)
        local paths = {}
        for i = 1, 3 do paths[i] = moontide.fs.write(work .. '/p/' .. i .. '.txt', ('x'):rep(i)) end
        return paths
      end,
      rename = function(file)
        if file.prepared.stem == '2' then return moontide.skip('even') end
        return file.stem .. '-' .. file.prepared.name
      end
      """
    guard case .sendParts(let parts) = try await Bench().ruling(lines, of: "notes/a.md") else {
      Issue.record("no parts")
      return
    }
    #expect(parts.map(\.name) == ["p/1.txt", "p/3.txt"])
    #expect(parts.map(\.wishes.filename) == ["a-1.txt", "a-3.txt"])
    #expect(parts.map { $0.wishes.content?.stamp.size } == [1, 3])
  }

  @Test(
    "other answers",
    arguments: [
      ("prepare = function() return {} end", Ruling.skip(reason: "prepare gave no files")),
      ("prepare = function() return moontide.defer(5) end", .postpone(.seconds(5), reason: nil)),
      ("accept = false, prepare = function() error('not called') end", .skip(reason: "not accepted")),
      (
        "prepare = function(f) return { f.path } end, purpose = function() return moontide.reject('no') end",
        .reject(reason: "a.md: no")
      ),
      (
        "prepare = function(f) return { f.path } end, purpose = function() return moontide.skip('none') end",
        .skip(reason: "none")
      ),
    ])
  func verdicts(lines: String, ruling: Ruling) async throws {
    #expect(try await Bench().ruling(lines, of: "notes/a.md").anonymous == ruling)
  }

  @Test(
    "what cannot be sent is said with its reason",
    arguments: [
      (
        "return 42",
        "prepare returned a number (42); it takes the path of a file, a list of paths, or nothing"
      ),
      ("return 'none.txt'", "prepare returned \"none.txt\": cannot look at \"none.txt\": No such file"),
      ("return work", "it is a directory"),
      ("return '/etc/passwd'", "prepare returned \"/etc/passwd\": "),
      ("return work .. '/../../x'", "prepare returned \""),
      ("return { f.path, f.path }", "two files called \"a.md\""),
      ("return { f.path, nil, f.path }", "a list with a hole at 2"),
      ("return { made = f.path }", "a table with the field `made`"),
    ])
  func faults(body: String, message: String) async throws {
    let failure = try await Bench().fault("prepare = function(f, work) \(body) end", of: "notes/a.md")
    #expect(failure.message.contains(message), "\(failure.message)")
    #expect(failure.handler == "prepare")
  }

  @Test("its directory is the job's alone, and empty each time")
  func directory() async throws {
    let bench = try Bench()
    let recipe = try await bench.recipe(
      wrap(
        """
        prepare = function(file, work)
          local seen = #moontide.fs.list(work)
          moontide.fs.copy(file.path, work .. '/copy')
          moontide.fs.move(work .. '/copy', work .. '/moved')
          other = other or work
          local ok, message = pcall(moontide.fs.read, other .. '/moved')
          return moontide.fs.write(work .. '/made', seen .. ' ' .. tostring(ok))
        end, rename = function(file) return file.prepared:read() end
        """))
    try bench.project.write("a.md", "text")
    try bench.project.write("b.md", "text")
    var names: [String?] = []
    for path in ["a.md", "a.md", "b.md"] {
      guard case .send(let wishes)? = await recipe.decide([try bench.candidate(path)]).first else { continue }
      names.append(wishes.filename)
    }
    await recipe.close()
    #expect(names == ["0 true", "0 true", "0 false"])
  }

  @Test("`prepare` takes a function alone")
  func constant() async throws {
    let error = try await Bench().loadError(wrap("prepare = 'x'"))
    #expect(error.message.contains("`prepare` is a string (\"x\"); it takes a function"))
  }
}
