import Foundation
import Testing

@Suite("moontide run --dry-run")
struct DryRunTests {
  @Test("tells what the handbook's recipe would do, in the order of the paths, and does nothing")
  func handbook() async throws {
    let sandbox = try Sandbox()
    for name in ["a b.md", "sub/c.md", "sub/d.pdf", "drafts/x.md"] {
      try sandbox.write("content of \(name)", to: "handbook/" + name)
      try sandbox.age("handbook/" + name)
    }
    try sandbox.write(RunTests.handbook, to: "handbook.lua")
    let before = try sandbox.everything()
    let (rows, ended) = try await sandbox.plan("handbook.lua")
    #expect(ended.status == 0, "\(ended)")
    #expect(rows.map(\.path) == ["handbook/a b.md", "handbook/sub/c.md", "handbook/sub/d.pdf"])
    #expect(rows.map(\.filename) == ["a b.md", "sub--c.md", "sub--d.pdf"])
    #expect(rows.map(\.sessionFilename)[1] == "sub--c<suffix by the service>.md")
    #expect(rows.allSatisfy { $0.verdict == "send" && $0.purpose == "knowledge_workspace" })
    #expect(rows[2].mimeType == "application/pdf" && rows[2].sizeBytes == 20)
    #expect(rows[1].steps == [.init(step: "move", from: "handbook/sub/c.md", to: "uploaded/sub/c.md")])
    let text = try await sandbox.moontide("run", "handbook.lua", "--dry-run")
    #expect(text.output.contains("→ move uploaded/sub/c.md"), "\(text)")
    #expect(text.lastLine.contains("3 files: 3 to send (") && text.status == 0)
    #expect(!text.output.contains("\u{1B}"))
    // No ledger, no store, no trace of it: the directory is no project yet.
    #expect(try sandbox.everything() == before && !sandbox.has(".moontide"))
  }

  /// A recipe with an answer for each kind of file, which moves what it sent.
  private static let every = """
    return {
      name = "every",
      discover = { root = "in" },
      settle = 2,
      accept = function(file)
        if file.stem:find("^skip") then return moontide.skip("of no interest") end
        if file.stem:find("^reject") then return moontide.reject("is not right") end
        if file.stem:find("^later") then return moontide.defer(3600, "not yet") end
        if file.stem:find("^due") then return moontide.defer(0, "soon") end
        if file.stem:find("^error") then error("does not work") end
        return true
      end,
      rename = function(file) return moontide.args.prefix .. file.relative:gsub("/", "-") end,
      mime_type = function(file) if file.ext == ".log" then return "text/x-log" end end,
      purpose = function(file) if file.stem:find("^know") then return "knowledge_user" end end,
      completed = function(file)
        if file.stem:find("^stay") then return { copy = "copies" } end
        if file.stem:find("^gone") then return { remove = true } end
        if file.stem:find("^own") then
          moontide.fs.write("in/written-" .. file.name, "by the recipe")
          return
        end
        return { move = "sent" }
      end,
      failed = { copy = "dead" },
    }
    """

  private func everyKind(_ sandbox: Sandbox) throws {
    for name in [
      "a.md", "know.md", "sub/b.log", "sub/c.bin", "skip.md", "reject.md", "later.md", "due.md", "error.md",
      "stay.md", "gone.md", "own.md", "empty.txt", "draft.md.part",
    ] {
      try sandbox.write(name == "empty.txt" ? "" : "content of \(name)", to: "in/" + name)
      try sandbox.age("in/" + name)
    }
    try sandbox.write("there already", to: "sent/a.md")
    try sandbox.write(Self.every, to: "every.lua")
  }

  @Test("makes the same decisions as the run that follows, and as the one after changes")
  func sameDecisions() async throws {
    let sandbox = try Sandbox()
    try everyKind(sandbox)
    let first = try await sandbox.plan("every.lua", "--arg", "prefix=x-")
    #expect(first.ended.status == 1)
    #expect(first.rows.count == 14)
    let real = try await sandbox.moontide("run", "every.lua", "--arg", "prefix=x-")
    #expect(real.status == 1, "\(real)")
    let afterwards = try await sandbox.jobs()
    #expect(afterwards.count == 13)
    sandbox.compare(first.rows, with: afterwards)
    sandbox.expectSteps(first.rows)
    let moved = try #require(first.rows.first { $0.path == "in/a.md" })
    #expect(moved.steps.map(\.to) == ["sent/a-2.md"])
    #expect(Set(first.rows.map(\.verdict)) == ["send", "skip", "reject", "defer", "fail", "in_progress"])

    // Touched, changed, new, copied back, and what stands as it stood.
    try sandbox.write("content of stay.md", to: "in/stay.md")
    try sandbox.write("other content of own", to: "in/own.md")
    try sandbox.write("new", to: "in/new.md")
    try sandbox.write("right now", to: "in/reject.md")
    try sandbox.age("in/stay.md", "in/own.md", "in/new.md", "in/reject.md")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -2000)], ofItemAtPath: sandbox.path("in/stay.md"))
    let second = try await sandbox.plan("every.lua", "--arg", "prefix=x-")
    var verdicts: [String: String] = [:]
    for row in second.rows { verdicts[row.path] = row.verdict }
    #expect(
      verdicts == [
        "in/stay.md": "touched", "in/own.md": "send", "in/new.md": "send", "in/reject.md": "reject",
        "in/skip.md": "skip", "in/later.md": "defer", "in/due.md": "defer", "in/error.md": "fail",
        "in/empty.txt": "fail", "in/draft.md.part": "in_progress",
      ])
    #expect(try await sandbox.moontide("run", "every.lua", "--arg", "prefix=x-").status == 1)
    sandbox.compare(second.rows, with: try await sandbox.jobs())
    sandbox.expectSteps(second.rows)

    let third = try await sandbox.plan("every.lua", "--arg", "prefix=x-")
    #expect(third.rows.filter { $0.verdict == "send" }.isEmpty)
    #expect(third.rows.first { $0.path == "in/own.md" }?.verdict == "already_sent")
    // Another recipe is asked about everything that was not sent.
    let other = try await sandbox.plan("every.lua", "--arg", "prefix=y-")
    #expect(Set(third.rows.map(\.path)) == Set(other.rows.map(\.path)))
  }

  @Test("leaves the project, its record and everything outside as they are, whatever handlers do")
  func harmless() async throws {
    let sandbox = try Sandbox()
    try everyKind(sandbox)
    try sandbox.write(
      """
      return {
        name = "busy",
        discover = { root = "in", include = { "*.md" } },
        permissions = { write = { "../beside" }, run = { "sh" }, net = { "127.0.0.1" } },
        accept = function(file)
          local count = (moontide.store.get("count") or 0) + 1
          moontide.store.set("count", count)
          moontide.fs.write("notes/" .. file.name, "n" .. count)
          file:once("mark", function() moontide.fs.write("once/" .. file.name, "x"); return count end)
          return true
        end,
        rename = function(file) return moontide.store.get("count") .. "-" .. file.name end,
        completed = function(file, session)
          assert(session.status == "COMPLETED" and session.id:find("simulated"))
          assert(session:refresh().status == "COMPLETED")
          assert(moontide.fs.exists("notes/" .. file.name))
          moontide.fs.move(file.path, "../beside/" .. file.name)
          local extra = moontide.files.create { filename = "x", mime_type = "text/plain", size_bytes = 1 }
          extra:cancel()
        end,
        summary = function() moontide.fs.write("summary.txt", "done") end,
      }
      """, to: "busy.lua")
    try FileManager.default.createDirectory(
      atPath: sandbox.path("../beside"), withIntermediateDirectories: true)
    // With a ledger, that of a real run of another recipe.
    #expect(try await sandbox.moontide("run", "every.lua", "--arg", "prefix=x-").status == 1)
    let before = try sandbox.everything()
    let words = ["--allow-write=../beside", "--allow-service=files:create", "--allow-run=sh"]
    let ended = try await Running(
      ["run", "busy.lua", "--dry-run", "--json"] + words, in: sandbox.root, environment: [:]
    ).finished()
    let rows = ended.output.split(separator: "\n").compactMap {
      try? JSONDecoder().decode(PlannedRow.self, from: Data($0.utf8))
    }
    #expect(ended.status == 0 && !rows.isEmpty, "\(ended)")
    for (index, row) in rows.filter({ $0.verdict == "send" }).enumerated() {
      #expect(row.filename?.hasPrefix("\(index + 1)-") == true, "\(row)")
      #expect(row.steps.map(\.step) == ["write", "write", "move"], "\(row)")
    }
    #expect(try sandbox.everything() == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: sandbox.path("../beside")).isEmpty)
  }

  @Test(
    "says of a handler that asks the world beyond which line nothing is known, also when it catches the error"
  )
  func unknown() async throws {
    let sandbox = try Sandbox()
    for name in ["http.md", "caught.md", "process.md", "meetings.md", "after.md", "denied.md", "plain.md"] {
      try sandbox.write("content of \(name)", to: "in/" + name)
      try sandbox.age("in/" + name)
    }
    try sandbox.write(
      """
      return {
        name = "worldly",
        discover = "in/*.md",
        permissions = { run = { "sh" }, net = { "127.0.0.1" }, service = { "meetings:read" } },
        rename = function(file)
          if file.stem == "http" then moontide.http.get("http://127.0.0.1:1/") end
          if file.stem == "caught" then
            local ok = pcall(function()
              moontide.http.post("http://127.0.0.1:1/", { body = "x" })
            end)
            return "caught"
          end
          if file.stem == "process" then moontide.process.run { "sh", "-c", "touch ran" } end
          if file.stem == "meetings" then return moontide.meetings.get("mtg_1").title end
          if file.stem == "denied" then moontide.http.get("http://127.0.0.2:1/") end
          return file.name
        end,
        completed = function(file, session)
          moontide.sleep(86400)
          if file.stem == "after" then
            moontide.fs.write("before.txt", "x")
            session:download_url()
            moontide.fs.write("after.txt", "x")
          end
        end,
        failed = function(file, failure) moontide.fs.write("failed-" .. file.name, failure.message) end,
      }
      """, to: "worldly.lua")
    let (rows, ended) = try await sandbox.plan(
      "worldly.lua", "--allow-run=sh", "--allow-net=127.0.0.1", "--allow-service=meetings:read")
    #expect(ended.status == 1, "\(ended)")
    var found: [String: PlannedRow] = [:]
    for row in rows { found[String(row.path.dropFirst(3).dropLast(3))] = row }
    #expect(found["http"]?.reason == "unknown after line 6: http" && found["http"]?.handler == "rename")
    #expect(found["caught"]?.reason == "unknown after line 9: http")
    #expect(found["process"]?.reason == "unknown after line 13: process")
    #expect(found["meetings"]?.reason == "unknown after line 14: meetings.get")
    for name in ["http", "caught", "process", "meetings"] {
      #expect(found[name]?.verdict == "unknown" && found[name]?.steps.isEmpty == true)
    }
    #expect(found["plain"]?.verdict == "send" && found["plain"]?.steps.isEmpty == true)
    #expect(found["after"]?.verdict == "send")
    #expect(
      found["after"]?.steps == [
        .init(step: "write", path: "before.txt"),
        .init(step: "unknown", handler: "completed", message: "unknown after line 22: session:download_url"),
      ])
    // What it may not do it may not do: that is known.
    #expect(found["denied"]?.verdict == "fail" && found["denied"]?.steps.map(\.path) == ["failed-denied.md"])
    #expect(!sandbox.has("ran") && !sandbox.has("before.txt") && !sandbox.has(".moontide"))
  }

  @Test("waits for nothing: what still changes or has no marker is listed with the reason")
  func waiting() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/old.md")
    try sandbox.age("in/old.md")
    try sandbox.write("x", to: "in/old.md.done")
    try sandbox.write("x", to: "in/bare.md")
    try sandbox.age("in/bare.md")
    try sandbox.write("x", to: "in/fresh.md")
    try sandbox.write("x", to: "in/fresh.md.done")
    try sandbox.write(
      "return { name = 'patient', discover = 'in/*', settle = 600, ready = '{name}.done' }", to: "patient.lua"
    )
    let (rows, ended) = try await sandbox.plan("patient.lua")
    #expect(ended.status == 0, "\(ended)")
    var told: [String: String] = [:]
    for row in rows { told[row.path] = "\(row.verdict): \(row.reason ?? "")" }
    #expect(
      told == [
        "in/old.md": "send: ", "in/fresh.md": "waiting: still changing",
        "in/bare.md": "waiting: it waits for its marker \"in/bare.md.done\"",
      ])
  }

  @Test("counts the files that the run finds: no markers, and none in progress")
  func counts() async throws {
    let sandbox = try Sandbox()
    for name in ["a.md", "a.md.done", "b.md", "draft.md.part"] { try sandbox.write("x", to: "in/" + name) }
    try sandbox.write(
      "return { name = 'c', discover = 'in/*', settle = 0, ready = '{name}.done' }", to: "c.lua")
    let plan = try await sandbox.moontide("run", "c.lua", "--dry-run")
    #expect(plan.status == 0 && plan.output.contains("in/draft.md.part\t→ -"), "\(plan)")
    #expect(plan.lastLine.hasPrefix("2 files: 1 to send (1 B), 1 waiting. "), "\(plan)")
    let run = try await sandbox.moontide("run", "c.lua")
    #expect(run.lastLine.contains("2 found, 1 sent") && run.lastLine.contains("1 waiting"), "\(run)")
  }

  @Test(
    "plans what discover gave before it asked the world, and says that the rest is unknown",
    arguments: [
      "pcall(moontide.http.get, 'http://127.0.0.1:9/')", "moontide.http.get('http://127.0.0.1:9/')",
    ])
  func unknownDiscovery(call: String) async throws {
    let sandbox = try Sandbox()
    for name in ["a.md", "b.md"] {
      try sandbox.write("x", to: "in/" + name)
      try sandbox.age("in/" + name)
    }
    try sandbox.write(
      """
      return { name = 'far', permissions = { net = '127.0.0.1' }, discover = function()
        coroutine.yield('in/a.md')
        \(call)
        coroutine.yield('in/b.md')
      end }
      """, to: "far.lua")
    let (rows, ended) = try await sandbox.plan("far.lua", "--allow-net=127.0.0.1")
    #expect(ended.status == 0, "\(ended)")
    #expect(
      rows.map(\.path) == ["in/a.md", "far"] && rows.map(\.verdict) == ["send", "unknown"], "\(ended)")
    #expect(rows.last?.handler == "discover" && rows.last?.reason == "unknown after line 3: http", "\(ended)")
    let text = try await sandbox.moontide("run", "far.lua", "--dry-run", "--allow-net=127.0.0.1")
    #expect(text.lastLine.hasPrefix("1 file: 1 to send (1 B), unknown how many more. "), "\(text)")
  }

  @Test("fits narrow terminals, and leaves the mark for the suffix whole", arguments: [44, 50, 60, 70])
  func narrow(columns: Int) async throws {
    let sandbox = try Sandbox()
    for name in ["a-file-with-a-long-name.md", "b.md", "another-long-name.with.a.long.extension"] {
      try sandbox.write("x", to: "in/" + name)
    }
    try sandbox.write(
      "return { name = 'n', discover = 'in/*', settle = 0, purpose = 'knowledge_user' }", to: "n.lua")
    let terminal = try Terminal(columns: columns, rows: 30)
    let running = try Running(
      ["run", "n.lua", "--dry-run"], in: sandbox.root, environment: Terminal.environment,
      output: terminal.side)
    #expect(try await running.finished().status == 0)
    let lines = try await terminal.screen().components(separatedBy: "\r\n")
    let rows = lines.filter { $0.contains("→") }.map { $0.replacing(/\u{1B}\[\d+m/, with: "") }
    #expect(rows.count == 4 && rows.allSatisfy { $0.count <= columns }, "\(rows)")
    #expect(rows.dropFirst().allSatisfy { $0.contains("<…>") }, "\(rows)")
    #expect(rows[0].contains("PURPOSE") == (columns > 64), "\(rows)")
  }

  @Test("reads the record while a run owns it, and goes on with what that left")
  func besideARun() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/a.md")
    try sandbox.age("in/a.md")
    try sandbox.write("return { name = 'watched', discover = 'in/*.md' }", to: "watched.lua")
    let running = try sandbox.start("run", "watched.lua", "--watch")
    try await running.says("watched: ")
    let (rows, ended) = try await sandbox.plan("watched.lua")
    #expect(ended.status == 0 && rows.map(\.verdict) == ["already_sent"], "\(ended)")
    running.interrupt()
    _ = try await running.finished()
  }

  @Test("ends with a status that says what is wrong")
  func statuses() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/a.md")
    try sandbox.write("return { name = 'some', discover = 'in/*' }", to: "some.lua")
    try sandbox.write("return { name = 'some', discover = ", to: "broken.lua")
    for wrong in ["--watch", "--wait"] {
      let ended = try await sandbox.moontide("run", "some.lua", "--dry-run", wrong)
      #expect(ended.status == 2 && ended.errors.contains("--dry-run"), "\(ended)")
    }
    #expect(try await sandbox.moontide("run", "broken.lua", "--dry-run").status == 3)
    #expect(try await sandbox.moontide("run", "none.lua", "--dry-run").status != 0)
    let metrics = try await sandbox.moontide("run", "some.lua", "--dry-run", "--metrics", "127.0.0.1:0")
    #expect(metrics.status == 2 && metrics.errors.contains("leave out --metrics"), "\(metrics)")
    // What a run refuses.
    let twice = try await sandbox.moontide("run", "some.lua", "./some.lua", "--dry-run")
    #expect(twice.status == 2 && twice.errors.contains("named twice"), "\(twice)")
    try sandbox.write("return { name = 'some', discover = 'in/*' }", to: "other.lua")
    let namesakes = try await sandbox.moontide("run", "some.lua", "other.lua", "--dry-run")
    #expect(namesakes.status == 3 && namesakes.errors.contains("both have name = \"some\""), "\(namesakes)")
    let keyless = try await sandbox.moontide(
      "run", "some.lua", "--dry-run", "--service", "http://127.0.0.1:9")
    #expect(keyless.status == 2 && keyless.errors.contains("LIGHTFIELD_API_KEY"), "\(keyless)")
    // Nobody listens there, and nobody is asked.
    let remote = try await sandbox.plan(
      "some.lua", "--service", "http://127.0.0.1:9",
      environment: ["LIGHTFIELD_API_KEY": "sk_test_0123456789abcdef"])
    #expect(remote.ended.status == 0 && remote.rows.count == 1, "\(remote.ended)")
    #expect(!sandbox.has(".moontide"))
  }
}
