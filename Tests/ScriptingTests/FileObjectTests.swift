import Ingestion
import ScriptTestSupport
import Scripting
import Testing
import Workspace

@Suite struct FileObjectTests {
  @Test("A file shows its facts")
  func facts() async throws {
    let bench = try Bench()
    try bench.project.write("notes/sub/a b.tar.gz", "x")
    let recipe = try await bench.recipe(
      wrap(
        """
        accept = function(f)
          print(f.path, f.relative, f.dir, f.name, f.stem, f.ext, f.size, math.type(f.modified), tostring(f))
          print(f.job, f.mime_type)
          return true
        end
        """))
    var candidate = try bench.candidate("notes/sub/a b.tar.gz", relative: "sub/a b.tar.gz")
    candidate.stamp.modified = 1_500_000_000
    _ = await recipe.decide([candidate])
    #expect(
      bench.log == [
        "info: notes/sub/a b.tar.gz\tsub/a b.tar.gz\tnotes/sub\ta b.tar.gz\ta b.tar\t.gz\t1\tfloat\tfile(notes/sub/a b.tar.gz)",
        "info: \(candidate.key.id)\tapplication/gzip",
      ])
    await recipe.close()
  }

  @Test(
    "Content is read in pieces, from the front, from the back, and by lines",
    arguments: [
      ("f:read()", "one\r\ntwo\n\nend"), ("f:read(3)", "one"), ("f:read(1000)", "one\r\ntwo\n\nend"),
      ("f:tail(3)", "end"),
      ("f:tail(1000)", "one\r\ntwo\n\nend"), ("f:tail(0)", ""), ("lines(f)", "one|two||end"),
      ("f.detected_type", "text/plain"),
      ("f.mime_type", "text/markdown"),
    ])
  func content(expression: String, text: String) async throws {
    let ruling = try await Bench().ruling(
      """
      accept = function(f)
        local function lines(f)
          local all = {}
          for line in f:lines() do all[#all + 1] = line end
          return table.concat(all, "|")
        end
        return moontide.reject("=" .. \(expression))
      end
      """, "one\r\ntwo\n\nend")
    #expect(ruling.anonymous == .reject(reason: "=" + text))
  }

  @Test("A file without an extension is typed by its content")
  func types() async throws {
    let ruling = try await Bench().ruling(
      "mime_type = function(f) return moontide.skip(f.mime_type .. ' ' .. f.detected_type) end", of: "README",
      "%PDF-1.4\n%âãÏÓ\n")
    #expect(ruling.anonymous == .skip(reason: "application/pdf application/pdf"))
  }

  @Test("A file that has gone before it is read is a fault of kind file")
  func gone() async throws {
    let bench = try Bench()
    try bench.project.write("a.md")
    let candidate = try bench.candidate("a.md")
    try bench.project.workspace.remove(candidate.path)
    let recipe = try await bench.recipe(wrap("accept = function(f) return #f:read() > 0 end"))
    guard case .fault(let failure) = await recipe.decide([candidate])[0] else {
      Issue.record("no fault")
      return
    }
    #expect(failure.kind == .file)
    #expect(
      failure.message.hasPrefix(
        "r.lua:2: in accept for a.md: cannot read \"a.md\": No such file or directory"))
    await recipe.close()
  }

  @Test(
    "A template is filled in from the path and the day of the last change in UTC",
    arguments: [
      ("{stem}-{date}{ext}", Int64(0), "a b-1970-01-01.md"), ("{year}/{month}/{day}", -1, "1969/12/31"),
      ("{dir}|{relative}|{name}", 0, "notes|a b.md|a b.md"), ("{{{stem}}}", 0, "{a b}"),
      ("plain", 0, "plain"),
      ("{date}", 951_782_400_000_000_000, "2000-02-29"), ("{date}", 4_107_542_399_999_999_999, "2100-02-28"),
      ("{date}", -62_135_596_800_000_000, "1968-01-12"), ("{date}", 1_775_646_000_000_000_000, "2026-04-08"),
    ])
  func templates(template: String, modified: Int64, filename: String) async throws {
    let bench = try Bench()
    try bench.project.write("notes/a b.md")
    var candidate = try bench.candidate("notes/a b.md", relative: "a b.md")
    candidate.stamp.modified = modified
    let recipe = try await bench.recipe(wrap("rename = '\(template)'"))
    #expect(await recipe.decide([candidate]) == [.send(Wishes(filename: filename))])
    await recipe.close()
  }
}
