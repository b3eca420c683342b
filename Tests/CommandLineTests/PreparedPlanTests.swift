import Foundation
import Testing

@Suite("moontide run --dry-run of a recipe with prepare")
struct PreparedPlanTests {
  /// What `prepare` does, by the file's name.
  private static let cut = """
    return {
      name = "cut",
      discover = { root = "in" },
      dedupe = "content",
      prepare = function(file, work)
        if file.stem:find("^parts") then
          local paths, number = {}, 0
          for line in file:lines() do
            number = number + 1
            paths[number] = moontide.fs.write(work .. "/p/" .. number .. ".txt", line .. "\\n")
          end
          assert(#moontide.fs.glob("p/*.txt", { root = work }) == number)
          return paths
        end
        if file.stem == "made" then
          moontide.fs.copy(file.path, work .. "/first")
          moontide.fs.move(work .. "/first", work .. "/second")
          assert(not moontide.fs.exists(work .. "/first") and #moontide.fs.list(work) == 1)
          return moontide.fs.write(work .. "/made", "%PDF-1.4 of " .. moontide.fs.read(work .. "/second"))
        end
        if file.stem == "other" then return "shared/cover.txt" end
        if file.stem == "kept" then moontide.fs.write("notes/" .. file.name, "kept") end
        if file.stem == "skip" then return moontide.skip("nothing in it") end
        if file.stem == "reject" then return moontide.reject("broken") end
        if file.stem == "error" then error("cannot be read") end
        if file.stem == "hollow" then return { moontide.fs.write(work .. "/hollow.txt", "") } end
      end,
      rename = function(file)
        if file.prepared then
          if file.stem == "parts-some" and file.prepared.stem == "2" then return moontide.skip("the second") end
          return file.stem .. "-" .. file.prepared.name
        end
        return file.name
      end,
      purpose = function(file) if file.prepared then return "knowledge_user" end end,
      completed = { move = "sent" },
      failed = { copy = "dead" },
    }
    """

  private func project() throws -> Sandbox {
    let sandbox = try Sandbox()
    for name in [
      "error.md", "hollow.md", "kept.md", "made.md", "other.md", "parts.md", "parts-some.md", "plain.md",
      "reject.md", "skip.md",
    ] {
      let text = name.hasPrefix("parts") ? "first of \(name)\nsecond\nthird\n" : "content of \(name)"
      try sandbox.write(text, to: "in/" + name)
      try sandbox.age("in/" + name)
    }
    try sandbox.write("a cover", to: "shared/cover.txt")
    try sandbox.write(Self.cut, to: "cut.lua")
    return sandbox
  }

  @Test("tells each part below its whole, writes nothing, and decides as the run that follows")
  func sameDecisions() async throws {
    let sandbox = try project()
    let before = try sandbox.everything()
    let first = try await sandbox.plan("cut.lua")
    #expect(first.ended.status == 1, "\(first.ended)")
    #expect(try sandbox.everything() == before && !sandbox.has(".moontide"))
    #expect(
      first.rows.map { "\($0.path) \($0.verdict)" } == [
        "in/error.md fail", "in/hollow.md fail", "in/kept.md send", "in/made.md send", "in/other.md send",
        "in/parts-some.md send", "in/parts-some.md/p/1.txt send", "in/parts-some.md/p/3.txt send",
        "in/parts.md send", "in/parts.md/p/1.txt send", "in/parts.md/p/2.txt send",
        "in/parts.md/p/3.txt send", "in/plain.md send", "in/reject.md reject", "in/skip.md skip",
      ])
    var rows: [String: PlannedRow] = [:]
    for row in first.rows { rows[row.path] = row }
    let made = try #require(rows["in/made.md"])
    #expect(made.prepared == "made" && made.filename == "made-made" && made.mimeType == "application/pdf")
    #expect(made.sizeBytes == 30 && made.steps.map(\.step) == ["move"])
    let part = try #require(rows["in/parts.md/p/2.txt"])
    #expect(part.whole == "in/parts.md" && part.prepared == "p/2.txt" && part.sizeBytes == 7)
    #expect(
      part.filename == "parts-2.txt" && part.mimeType == "text/plain" && part.purpose == "knowledge_user")
    #expect(rows["in/parts.md"]?.reason == "in 3 parts" && rows["in/parts.md"]?.filename == nil)
    #expect(rows["in/parts.md"]?.steps.map(\.to) == ["sent/parts.md"])
    #expect(rows["in/other.md"]?.prepared == "shared/cover.txt" && rows["in/other.md"]?.sizeBytes == 7)
    #expect(rows["in/kept.md"]?.steps.map(\.step) == ["write", "move"])
    let text = try await sandbox.moontide("run", "cut.lua", "--dry-run")
    #expect(
      text.lastLine.hasPrefix("10 files: 6 to send (") && text.lastLine.contains(", 5 parts)"), "\(text)")
    #expect(text.output.contains("→ sends shared/cover.txt, which prepare gave"))

    #expect(try await sandbox.moontide("run", "cut.lua").status == 1)
    let jobs = try await sandbox.jobs()
    #expect(Set(jobs.keys) == Set(first.rows.map(\.path)))
    sandbox.compare(first.rows, with: jobs)
    sandbox.expectSteps(first.rows)
    #expect(
      try await sandbox.files().map(\.sizeBytes).sorted()
        == first.rows.filter { $0.filename != nil && $0.verdict == "send" }.compactMap(\.sizeBytes).sorted())

    // What comes anew, has other content, or stands as it stood.
    try sandbox.write("first\nand more\n", to: "in/parts.md")
    try sandbox.write("now it is right", to: "in/skip.md")
    try sandbox.write("first of parts-some.md\nsecond\nthird\n", to: "in/twin.md")
    try sandbox.age("in/parts.md", "in/skip.md", "in/twin.md")
    let second = try await sandbox.plan("cut.lua")
    #expect(second.rows.first { $0.path == "in/twin.md" }?.reason == "same content as in/parts-some.md")
    #expect(try await sandbox.moontide("run", "cut.lua").status == 1)
    sandbox.compare(second.rows, with: try await sandbox.jobs())
    sandbox.expectSteps(second.rows)
    #expect(
      second.rows.filter { $0.verdict == "send" }.map(\.path) == [
        "in/parts.md", "in/parts.md/p/1.txt", "in/parts.md/p/2.txt",
      ])
  }

  @Test("says where nothing is known any more, and goes on with the next file")
  func unknown() async throws {
    let sandbox = try Sandbox()
    for name in ["a.md", "b.md"] {
      try sandbox.write("content", to: "in/" + name)
      try sandbox.age("in/" + name)
    }
    try sandbox.write(
      """
      return {
        name = "outside", discover = "in/*.md", permissions = { run = { "sh" } },
        prepare = function(file, work)
          moontide.fs.write(work .. "/begun", "x")
          if file.stem == "a" then pcall(moontide.process.run, { "sh", "-c", "touch ran" }) end
          return work .. "/begun"
        end,
      }
      """, to: "outside.lua")
    let (rows, ended) = try await sandbox.plan("outside.lua", "--allow-run=sh")
    #expect(ended.status == 0 && rows.map(\.verdict) == ["unknown", "send"], "\(ended)")
    #expect(rows.first?.reason == "unknown after line 5: process" && rows.first?.handler == "prepare")
    #expect(rows.first?.steps == [] && !sandbox.has("ran") && !sandbox.has(".moontide"))
  }

  @Test(
    "has a later recipe find what an earlier one sends and moves, as in a run, and says how limits are shared"
  )
  func severalRecipes() async throws {
    let sandbox = try Sandbox()
    for number in 1...3 {
      try sandbox.write("content \(number)", to: "in/\(number).md")
      try sandbox.age("in/\(number).md")
    }
    try sandbox.write(
      """
      return {
        name = "odd", discover = { root = "in", include = { "1.md", "3.md" } }, completed = { move = "sent" },
        prepare = function(file, work) return { moontide.fs.write(work .. "/part", file:read()) } end,
      }
      """, to: "odd.lua")
    try sandbox.write("return { name = 'all', discover = 'in/*' }", to: "all.lua")
    let both = try await Running(
      ["run", "odd.lua", "all.lua", "--dry-run", "--json"], in: sandbox.root, environment: [:]
    ).finished()
    let rows = both.output.split(separator: "\n").compactMap {
      try? JSONDecoder().decode(PlannedRow.self, from: Data($0.utf8))
    }
    #expect(
      rows.map { "\($0.recipe) \($0.path)" } == [
        "odd in/1.md", "odd in/1.md/part", "odd in/3.md", "odd in/3.md/part", "all in/1.md",
        "all in/2.md", "all in/3.md",
      ])
    // What takes a file away is told of the one that does it, and the file is there for the others until then.
    #expect(rows.filter { $0.recipe == "all" }.allSatisfy { $0.verdict == "send" && $0.steps.isEmpty })
    #expect(rows.first?.steps.map(\.to) == ["sent/1.md"])
    #expect(!both.errors.contains("--max-files"), "\(both)")
    let limited = try await sandbox.moontide("run", "odd.lua", "all.lua", "--dry-run", "--max-files", "1")
    #expect(limited.errors.contains("A run shares --max-files 1 between its recipes"), "\(limited)")
    let enough = try await sandbox.moontide("run", "odd.lua", "all.lua", "--dry-run", "--max-files", "9")
    #expect(!enough.errors.contains("--max-files"), "\(enough)")
  }

  @Test("says when a run would begin, outside of --window")
  func window() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/a.md")
    try sandbox.write("return { name = 'all', discover = 'in/*' }", to: "all.lua")
    let hour = Calendar(identifier: .gregorian).dateComponents(in: .gmt, from: Date()).hour ?? 0
    func time(_ hours: Int) -> String { String(format: "%02d:00", (hour + hours + 24) % 24) }
    let zone = ["TZ": "UTC"]
    let closed = time(3) + "-" + time(5)
    let outside = try await sandbox.moontide(
      "run", "all.lua", "--dry-run", "--window", closed, environment: zone)
    #expect(
      outside.errors.contains("outside \(closed): a run now would begin nothing before \(time(3))"),
      "\(outside)")
    #expect(outside.status == 0 && outside.lastLine.hasPrefix("1 file: "), "\(outside)")
    let open = time(-1) + "-" + time(3)
    let inside = try await sandbox.moontide(
      "run", "all.lua", "--dry-run", "--window", open, environment: zone)
    #expect(!inside.errors.contains("outside"), "\(inside)")
  }
}
