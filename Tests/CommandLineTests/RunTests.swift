import Foundation
import Testing

@Suite("moontide run")
struct RunTests {
  static let handbook = """
    return {
      name      = "handbook",
      discover  = { root = "handbook", include = { "**/*.md", "**/*.pdf" }, exclude = { "drafts/**" } },
      purpose   = "knowledge_workspace",
      rename    = function(file) return (file.relative:gsub("/", "--")) end,
      completed = { move = "uploaded/" },
    }
    """

  private func handbookSandbox() throws -> Sandbox {
    let sandbox = try Sandbox()
    for name in ["a b.md", "sub/c.md", "sub/d.pdf", ".hidden.md", "drafts/x.md"] {
      try sandbox.write("content of \(name)", to: "handbook/" + name)
    }
    try sandbox.write(Self.handbook, to: "handbook.lua")
    return sandbox
  }

  @Test("ingests the handbook: sends, renames, moves, and has nothing left to do")
  func handbook() async throws {
    let sandbox = try handbookSandbox()
    let first = try await sandbox.moontide("run", "handbook.lua")
    #expect(first.status == 0, "\(first)")
    #expect(first.output.hasPrefix("profile local"))
    #expect(first.lastLine.contains("3 found, 3 sent"))
    for name in ["a b.md", "sub/c.md", "sub/d.pdf"] {
      #expect(sandbox.has("uploaded/" + name) && !sandbox.has("handbook/" + name))
    }
    #expect(sandbox.has("handbook/.hidden.md") && sandbox.has("handbook/drafts/x.md"))

    let files = try await sandbox.files()
    #expect(files.count == 3 && files.allSatisfy { $0.status == "COMPLETED" })
    for (file, name) in [("a b", "a b.md"), ("sub--c", "sub/c.md"), ("sub--d", "sub/d.pdf")] {
      let listed = try #require(files.first { $0.filename.hasPrefix(file + "_") })
      let suffix = listed.filename.dropFirst(file.count + 1).prefix { $0 != "." }
      #expect(suffix.count == 13 && suffix.allSatisfy(\.isNumber))
      let download = try await sandbox.moontide("files", "download", listed.id)
      #expect(download.output == "content of \(name)" && download.status == 0)
    }

    let second = try await sandbox.moontide("run", "handbook.lua")
    #expect(second.status == 0 && second.lastLine.contains("0 sent"))
    #expect(try await sandbox.files().count == 3)
  }

  @Test("sends no more than --max-files, says what is left, and sends that the next time")
  func mostFiles() async throws {
    let sandbox = try Sandbox()
    for number in 1...5 { try sandbox.write("file \(number)", to: "in/\(number).txt") }
    try sandbox.write("return { name = 'some', discover = 'in/*' }", to: "some.lua")
    let first = try await sandbox.moontide("run", "some.lua", "--max-files", "2")
    #expect(
      first.status == 6 && first.errors.contains("--max-files 2 was asked for: 3 files left"), "\(first)")
    let little = try await sandbox.moontide("run", "some.lua", "--max-bytes", "0.005k")
    #expect(little.status == 6 && little.errors.contains("--max-bytes 0.005k was asked for"), "\(little)")
    let second = try await sandbox.moontide("run", "some.lua", "--max-bytes", "1K")
    #expect(second.status == 0 && second.lastLine.contains("5 found, 3 sent, 2 already done"), "\(second)")
    let tooMuch = try await sandbox.moontide("run", "some.lua", "--max-bytes", "1X")
    #expect(tooMuch.status == 2 && tooMuch.errors.contains("write it as 1000000, 800K"), "\(tooMuch)")
    for wrong in [
      ("--max-files", "0"), ("--max-bytes", "much"), ("--max-bytes", "0"), ("--watch", "--max-files=1"),
    ] {
      #expect(try await sandbox.moontide("run", "some.lua", wrong.0, wrong.1).status == 2, "\(wrong)")
    }
  }

  @Test("goes on sending while a handler runs for ever, and stops that one alone")
  func runaway() async throws {
    let sandbox = try Sandbox()
    for number in 1...10 { try sandbox.write("file \(number)", to: "in/\(number).txt") }
    try sandbox.write(
      """
      return {
        name = "runaway",
        discover = function()
          for i = 1, 10 do coroutine.yield("in/" .. i .. ".txt") end
        end,
        rename = function(file)
          while file.stem == "5" do end
          return file.name
        end,
      }
      """, to: "runaway.lua")
    let run = try await sandbox.moontide("run", "runaway.lua", "--limit", "seconds=5")
    #expect(run.status == 1, "\(run)")
    #expect(run.lastLine.contains("10 found, 9 sent") && run.lastLine.contains("1 failed"), "\(run)")
    let lines = run.output.split(separator: "\n")
    let failure = try #require(
      lines.firstIndex { $0.hasPrefix("failed    in/5.txt: runaway.lua:7: ") }, "\(run)")
    #expect(lines[failure].contains("longer than 5.0 seconds") && lines[failure].contains("--limit seconds="))
    // Those that were decided before it are sent while it runs.
    #expect(lines[..<failure].contains { $0.hasPrefix("sent      in/1.txt") }, "\(run)")
  }

  @Test("shows the line and the traceback of every handler that fails, also in JSON")
  func traces() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("text", to: "in/a.md")
    try sandbox.write(
      """
      return { name = "broken", discover = "in/*.md",
        completed = function(file) error("no " .. file.name) end,
        summary = function(totals) return totals.found.all end,
      }
      """, to: "broken.lua")
    let text = try await sandbox.moontide("run", "broken.lua")
    #expect(text.status == 1, "\(text)")
    let shown = text.output + text.errors
    #expect(shown.contains("broken.lua:2: in completed for in/a.md: no a.md"), "\(text)")
    #expect(shown.contains("  2 |   completed = function(file)"), "\(text)")
    #expect(shown.contains("  3 |   summary = function(totals)"), "\(text)")
    let json = try await sandbox.moontide("run", "broken.lua", "--json")
    let lines = json.output.split(separator: "\n")
    for event in ["step_failed", "problem"] {
      let line = try #require(lines.first { $0.contains("\"\(event)\"") }, "\(json)")
      #expect(line.contains("\"trace\":\"  "), "\(line)")
    }
  }

  @Test("does not take again what it moved itself")
  func movedFilesAreKnown() async throws {
    let sandbox = try handbookSandbox()
    try sandbox.write(
      """
      return { name = "all", discover = { root = ".", include = { "**/*.md" } }, completed = { move = "uploaded/" } }
      """, to: "all.lua")
    let first = try await sandbox.moontide("run", "all.lua")
    #expect(first.status == 0 && first.lastLine.contains("3 found, 3 sent"), "\(first)")
    let second = try await sandbox.moontide("run", "all.lua")
    #expect(second.status == 0 && second.lastLine.contains("0 found, 0 sent"), "\(second)")
  }

  @Test("lists what the service refuses, with its reason, and sends the rest")
  func refusedPurpose() async throws {
    let sandbox = try Sandbox()
    for name in ["a", "b", "c"] { try sandbox.write(name, to: "in/\(name).md") }
    try sandbox.write(
      """
      return {
        name = "typo", discover = "in/*.md",
        purpose = function(f) if f.stem == "b" then return "knowlege_user" end end,
      }
      """, to: "typo.lua")
    let run = try await sandbox.moontide("run", "typo.lua")
    #expect(run.status == 1 && run.lastLine.contains("2 sent") && run.lastLine.contains("1 failed"), "\(run)")
    #expect(run.output.contains("in/b.md") && run.output.contains("knowlege_user"))
    let why = try await sandbox.moontide("why", "in/b.md")
    #expect(why.output.contains("knowlege_user"))
  }

  @Test("says which key of a recipe is unknown, and which was meant")
  func unknownKey() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("return { name = 'x', discover = '*.md', renam = 'a' }", to: "x.lua")
    let run = try await sandbox.moontide("run", "x.lua")
    #expect(run.status == 3 && run.errors.contains("renam") && run.errors.contains("rename"), "\(run)")
    #expect(run.errors.contains("x.lua"))
  }

  @Test(
    "names script, line, handler and file of an error, and sends the rest; a corrected recipe sends what failed"
  )
  func handlerError() async throws {
    let sandbox = try Sandbox()
    for name in ["a", "b", "c"] { try sandbox.write(name, to: "in/\(name).md") }
    let recipe = { (line: String) in
      """
      return {
        name = "broken", discover = "in/*.md",
        rename = function(file)
          \(line)
          return file.name
        end,
      }
      """
    }
    try sandbox.write(recipe("if file.stem == 'b' then local x; x.y = 1 end"), to: "broken.lua")
    let first = try await sandbox.moontide("run", "broken.lua")
    #expect(first.status == 1 && first.lastLine.contains("2 sent"), "\(first)")
    let line = first.output.split(separator: "\n").first { $0.hasPrefix("failed") } ?? ""
    #expect(
      line.contains("broken.lua:4") && line.contains("rename") && line.contains("in/b.md"), "\(first.output)")

    try sandbox.write(recipe("-- corrected"), to: "broken.lua")
    let second = try await sandbox.moontide("run", "broken.lua")
    #expect(second.status == 0 && second.lastLine.contains("1 sent, 2 already done"), "\(second)")
    #expect(try await sandbox.files().count == 3)
  }

  @Test("sends what a recipe had skipped once its accept is corrected, under each profile, and nothing twice")
  func correctedAccept() async throws {
    try await withRemote { remote in
      let sandbox = try Sandbox()
      for name in ["a.md", "b.txt", "sub/c.md", "sub/d.txt"] { try sandbox.write(name, to: "in/" + name) }
      let recipe = { (wanted: String) in
        "return { name = 'x', discover = { root = 'in' }, accept = function(file) return \(wanted) end }"
      }
      try sandbox.write(recipe("file.ext == '.md'"), to: "x.lua")
      for (environment, profile) in [([:], "local"), (remote.environment, remote.profile)] {
        let run = try await sandbox.moontide("run", "x.lua", environment: environment)
        #expect(run.status == 0 && run.lastLine.contains("4 found, 2 sent"), "\(profile): \(run)")
        #expect(run.lastLine.contains("2 skipped"), "\(profile): \(run)")
      }
      try sandbox.write(recipe("true"), to: "x.lua")
      for (environment, profile) in [([:], "local"), (remote.environment, remote.profile)] {
        let words = profile == "local" ? ["--profile", "local"] : []
        let run = try await Running(["run", "x.lua"] + words, in: sandbox.root, environment: environment)
          .finished()
        #expect(run.status == 0 && run.lastLine.contains("2 sent, 2 already done"), "\(profile): \(run)")
      }
      let names = ["a.md", "b.txt", "c.md", "d.txt"]
      #expect(try await remote.files().map(\.filename).sorted() == names)
      let local = try await sandbox.moontide("files", "list", "--all", "--json", "--profile", "local")
      #expect(local.output.split(separator: "\n").count == names.count)
    }
  }

  @Test("lists files that break the limits, and sends the largest one allowed with flat memory")
  func limits() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("", to: "in/empty.bin")
    try sandbox.makeHole("in/largest.bin", size: 536_870_912)
    try sandbox.makeHole("in/toolarge.bin", size: 536_870_913)
    try sandbox.write("return { name = 'limits', discover = 'in/*' }", to: "limits.lua")
    let running = try sandbox.start("run", "limits.lua")
    let peak = await running.peakMemory()
    let run = try await running.finished()
    #expect(run.status == 1 && run.lastLine.contains("1 sent") && run.lastLine.contains("2 failed"), "\(run)")
    #expect(peak > 0 && peak < 150 * 1024, "\(peak) kB")
    #expect(run.output.contains("at least 1") && run.output.contains("536870912"))
    let files = try await sandbox.files()
    #expect(files.map(\.sizeBytes) == [536_870_912])
  }

  @Test("prints JSON lines on demand, the summary last")
  func json() async throws {
    let sandbox = try handbookSandbox()
    let run = try await sandbox.moontide("run", "handbook.lua", "--json")
    let objects = try run.output.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    #expect(objects.filter { $0["event"] as? String == "sent" }.count == 3)
    let summary = try #require(objects.last?["summary"] as? [String: Any])
    #expect(summary["sent"] as? Int == 3 && summary["failed"] as? Int == 0)
  }

  @Test("refuses a second process on the same ledger, naming the first")
  func oneOwner() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/a.md")
    try sandbox.write(
      """
      return { name = "slow", discover = "in/*.md", rename = function(f)
        moontide.fs.write("began", "yes")
        while not moontide.fs.exists("go") do moontide.sleep(0.01) end
        return f.name
      end }
      """, to: "slow.lua")
    let first = try sandbox.start("run", "slow.lua")
    try await sandbox.appears("began")
    let second = try await sandbox.moontide("run", "slow.lua")
    #expect(second.status == 5 && second.errors.contains("run slow.lua"), "\(second)")
    try sandbox.write("", to: "go")
    #expect(try await first.finished().status == 0)
  }

  @Test("finishes what is under way on Ctrl-C and ends with status 130; the next run does the rest")
  func interrupt() async throws {
    let sandbox = try Sandbox()
    for number in 1...3 { try sandbox.write("\(number)", to: "in/\(number).md") }
    try sandbox.write(
      """
      return { name = "slow", discover = "in/*.md", completed = function(f)
        moontide.fs.write("began", "yes")
        while not moontide.fs.exists("go") do moontide.sleep(0.01) end
      end }
      """, to: "slow.lua")
    let running = try sandbox.start("run", "slow.lua", "--transfers", "1")
    try await sandbox.appears("began")
    running.interrupt()
    try sandbox.write("", to: "go")
    let run = try await running.finished()
    #expect(run.status == 130, "\(run)")
    let pending = try await sandbox.files().filter { $0.status == "PENDING" }
    #expect(pending.isEmpty)
    let rest = try await sandbox.moontide("run", "slow.lua")
    #expect(rest.status == 0)
    #expect(try await sandbox.files().count == 3)
  }
}

extension Sandbox {
  /// Waits until a file is there, at most half a minute.
  func appears(_ path: String) async throws {
    for _ in 0..<3000 where !has(path) { try await Task.sleep(for: .milliseconds(10)) }
    try #require(has(path), "\(path) did not appear")
  }
}
