import Foundation
import Testing

@Suite("moontide jobs, pause and status")
struct JobsTests {
  private static let picky = """
    return {
      name = "picky", discover = "in/*.md",
      accept = function(file)
        if moontide.fs.exists("strict") and file.stem == "b" then return moontide.reject("too strict") end
        return true
      end,
    }
    """

  /// A project of which `in/b.md` was rejected and the rest was sent.
  private func project() async throws -> Sandbox {
    let sandbox = try Sandbox()
    for name in ["a", "b", "c"] { try sandbox.write(name, to: "in/\(name).md") }
    try sandbox.write("", to: "strict")
    try sandbox.write(Self.picky, to: "picky.lua")
    let run = try await sandbox.moontide("run", "picky.lua")
    #expect(run.status == 1 && run.lastLine.contains("2 sent"), "\(run)")
    try FileManager.default.removeItem(atPath: sandbox.path("strict"))
    return sandbox
  }

  private func objects(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  @Test("lists what fits, with tabs or as JSON lines")
  func list() async throws {
    let sandbox = try await project()
    let failed = try await sandbox.moontide("jobs", "list", "--phase", "failed")
    #expect(failed.status == 0 && failed.output.split(separator: "\n").count == 1, "\(failed)")
    #expect(
      failed.output.hasPrefix("failed\tlocal\tpicky\tin/b.md\t") && failed.output.contains("too strict"))
    let all = try objects(try await sandbox.moontide("jobs", "list", "--json").output)
    #expect(all.count == 3 && all.allSatisfy { $0["v"] as? Int == 1 })
    #expect(Set(all.compactMap { $0["path"] as? String }) == ["in/a.md", "in/b.md", "in/c.md"])
    let one = try await sandbox.moontide("jobs", "list", "--limit", "1", "--since", "1h")
    #expect(one.output.split(separator: "\n").count == 1)
    #expect(try await sandbox.moontide("jobs", "list", "--since", "yesterday").status == 2)
  }

  @Test("shows all that is recorded of a file")
  func show() async throws {
    let sandbox = try await project()
    let shown = try objects(try await sandbox.moontide("jobs", "show", "in/a.md", "--json").output)
    let history = shown.first?["history"] as? [[String: Any]]
    #expect(history?.compactMap { $0["phase"] as? String } == ["decided", "opened", "uploaded", "done"])
    let text = try await sandbox.moontide("jobs", "show", "in/b.md")
    #expect(text.status == 0 && text.output.contains("too strict"), "\(text)")
    #expect(try await sandbox.moontide("jobs", "show", "in/none.md").status == 1)
  }

  @Test("tries again what failed for good, when asked; status gives the very command")
  func retry() async throws {
    let sandbox = try await project()
    #expect(try await sandbox.moontide("run", "picky.lua").lastLine.contains("0 sent"))
    let status = try objects(try await sandbox.moontide("status", "--json").output)
    let failures = try #require(status.first?["failures"] as? [[String: Any]])
    let command = try #require(failures.first?["retry"] as? String)
    #expect(
      command == "moontide jobs retry --profile local --recipe picky --kind rejected --reason 'too strict'")
    let retry = try await sandbox.moontide(
      "jobs", "retry", "--profile", "local", "--recipe", "picky", "--kind", "rejected", "--reason",
      "too strict")
    #expect(retry.status == 0 && retry.output == "1 file is tried again by the next run.\n", "\(retry)")
    let waiting = try await sandbox.moontide("status")
    #expect(
      waiting.output.contains("asked about 1 file again by the next run\n")
        && !waiting.output.contains("too strict"), "\(waiting)")
    #expect(try await sandbox.moontide("run", "picky.lua").lastLine.contains("1 sent, 2 already done"))
    let nothing = try await sandbox.moontide("jobs", "retry", "--all")
    #expect(nothing.status == 0 && nothing.output.contains("nothing to try again"))
    #expect(try await sandbox.moontide("jobs", "retry").status == 2)
    #expect(try await sandbox.moontide("jobs", "retry", "--phase", "done").status == 2)
    #expect(try await sandbox.files().count == 3)
  }

  @Test("says which file, or recipe, there is no record of", arguments: ["retry", "forget"])
  func unknown(command: String) async throws {
    let sandbox = try await project()
    let file = try await sandbox.moontide("jobs", command, "in/none.md")
    #expect(file.status == 1 && file.errors.contains("moontide why in/none.md"), "\(file)")
    let recipe = try await sandbox.moontide("jobs", command, "in/b.md", "--recipe", "choosy")
    #expect(recipe.status == 2 && recipe.errors.contains("those that have run are picky"), "\(recipe)")
    let elsewhere = try await sandbox.moontide("jobs", command, "in/b.md", "--profile", "other")
    #expect(elsewhere.status == 1, "\(elsewhere)")
  }

  @Test("forgets a file that failed at once, and one that was sent only with --yes")
  func forget() async throws {
    let sandbox = try await project()
    #expect(try await sandbox.moontide("jobs", "forget", "in/b.md").status == 0)
    let refused = try await sandbox.moontide("jobs", "forget", "in/a.md")
    #expect(refused.status == 2 && refused.errors.contains("a second time"), "\(refused)")
    #expect(try await sandbox.moontide("jobs", "forget", "in/a.md", "--yes").status == 0)
    #expect(try await sandbox.moontide("jobs", "list").output.split(separator: "\n").count == 1)
    #expect(try await sandbox.moontide("run", "picky.lua").lastLine.contains("2 sent, 1 already done"))
  }

  @Test("says how many files were put back for it")
  func putBack() async throws {
    let sandbox = try Sandbox()
    try sandbox.write(
      "return { name = 'p', discover = 'in/*', failed = { move = 'dead' }, accept = function() error('no') end }",
      to: "p.lua")
    for name in ["a", "b", "c"] { try sandbox.write(name, to: "in/\(name).md") }
    #expect(try await sandbox.moontide("run", "p.lua").lastLine.contains("3 failed"))
    let one = try await sandbox.moontide("jobs", "retry", "in/a.md")
    #expect(one.output == "1 file was put back and is tried again by the next run.\n", "\(one)")
    try FileManager.default.moveItem(
      atPath: sandbox.path("dead/in/b.md"), toPath: sandbox.path("in/b.md"))
    let two = try await sandbox.moontide("jobs", "retry", "in/b.md", "in/c.md")
    #expect(two.output == "2 files are tried again by the next run, 1 of them put back already.\n", "\(two)")
  }

  @Test("a pause of what has not run here holds, and names what has; that nothing was paused is said")
  func doubtfulPause() async throws {
    let sandbox = try await project()
    let nothing = try await sandbox.moontide("resume")
    #expect(nothing.output == "Nothing was paused.\n", "\(nothing)")
    let none = try await sandbox.moontide("resume", "--recipe", "nope")
    #expect(none.output == "There was no pause of recipe nope.\n", "\(none)")
    for (scope, words) in [
      (["--recipe", "nope"], "no recipe nope has run here; those that have: picky\n"),
      (["--profile", "nope"], "no recipe has run here with the profile nope; those that have: local\n"),
      (
        ["--recipe", "picky", "--profile", "nope"],
        "no recipe picky has run here with the profile nope; those that have: picky with local\n"
      ),
    ] {
      let pause = try await Running(["pause"] + scope, in: sandbox.root, environment: [:]).finished()
      #expect(pause.status == 0 && pause.output.hasPrefix("Paused: "), "\(pause)")
      #expect(pause.errors == "moontide: \(words)", "\(pause)")
    }
    let known = try await sandbox.moontide("pause", "--recipe", "picky", "--profile", "local")
    #expect(known.status == 0 && known.errors.isEmpty, "\(known)")
  }

  @Test("status tells of files that were given up, and of what was to be done with them then and failed")
  func stuck() async throws {
    let sandbox = try Sandbox()
    for name in ["a", "b"] { try sandbox.write(name, to: "in/\(name).md") }
    try sandbox.write("in the way", to: "dead")
    try sandbox.write(
      """
      return { name = "s", discover = "in/*", settle = 0, failed = { move = "dead/" },
        accept = function() return moontide.reject("no") end }
      """, to: "s.lua")
    let run = try await sandbox.moontide("run", "s.lua")
    #expect(run.status == 1 && run.lastLine.contains("2 unfinished"), "\(run)")
    let status = try await sandbox.moontide("status").output
    #expect(status.contains(/local +s +0 +0 +0 +0 +2 +2\n/), "\(status)")
    #expect(
      status.contains("\nAfter-step failed; tried again by itself, and by the next run\n  in/a.md: "),
      "\(status)")
    let object = try #require(try objects(try await sandbox.moontide("status", "--json").output).first)
    let stuck = try #require(object["stuck"] as? [[String: Any]])
    #expect(stuck.map { $0["path"] as? String } == ["in/a.md", "in/b.md"], "\(object)")
  }

  @Test("status tells apart what comes back by itself from what was given up", .timeLimit(.minutes(2)))
  func comingBack() async throws {
    let sandbox = try Sandbox()
    for name in ["a", "b"] { try sandbox.write(name, to: "in/\(name).md") }
    // The file is gone before it can be read.
    try sandbox.write(
      """
      return { name = "c", discover = "in/*", settle = 0, accept = function(f)
        if f.stem == "b" then return moontide.reject("no") end
        moontide.fs.remove(f.path)
        return true
      end }
      """, to: "c.lua")
    let watching = try sandbox.start("run", "c.lua", "--watch")
    try await watching.says("returns   in/a.md at ")
    try await watching.says("rejected  in/b.md")
    let status = try await sandbox.moontide("status").output
    #expect(status.contains("c (profile local): 1 file comes back by itself, the next at 20"), "\(status)")
    #expect(!status.contains("--kind file") && status.contains("1 file of c (profile local), rejected: no\n"))
    let object = try #require(try objects(try await sandbox.moontide("status", "--json").output).first)
    let count = try #require((object["counts"] as? [[String: Any]])?.first)
    #expect(count["comingBack"] as? Int == 1 && count["comesBackAt"] is String, "\(object)")
    #expect((object["failures"] as? [[String: Any]])?.count == 1, "\(object)")
    watching.kill()
    _ = try await watching.finished()
    let later = try await sandbox.moontide("status").output
    #expect(later.contains("1 file comes back by itself, with the next run\n"), "\(later)")
  }

  @Test("a pause holds for later runs, which end with status 6, until it is resumed")
  func pause() async throws {
    let sandbox = try await project()
    try sandbox.write("d", to: "in/d.md")
    #expect(try await sandbox.moontide("pause", "--recipe", "picky").status == 0)
    let paused = try await sandbox.moontide("run", "picky.lua")
    #expect(paused.status == 6 && paused.errors.contains("moontide resume"), "\(paused)")
    #expect(try await sandbox.moontide("status").output.contains("Paused since"))
    #expect(try await sandbox.moontide("resume").status == 0)
    #expect(try await sandbox.moontide("run", "picky.lua").lastLine.contains("1 sent"))
  }

  @Test("adopts what is there, and sends only what comes or changes")
  func adopt() async throws {
    let sandbox = try Sandbox()
    for name in ["a.md", "b.md", "c.md.part"] { try sandbox.write(name, to: "in/\(name)") }
    try sandbox.write("return { name = 'x', discover = 'in/*' }", to: "x.lua")
    #expect(try await sandbox.moontide("adopt", "x.lua").status == 2)
    let adopted = try await sandbox.moontide("adopt", "x.lua", "--yes")
    #expect(adopted.status == 0 && adopted.output.contains("2 files adopted"), "\(adopted)")
    try FileManager.default.moveItem(
      atPath: sandbox.path("in/c.md.part"), toPath: sandbox.path("in/c.md"))
    #expect(try await sandbox.moontide("run", "x.lua").lastLine.contains("1 sent, 2 already done"))
    #expect(try await sandbox.moontide("why", "in/a.md").output.contains("adopted"))
    #expect(try await sandbox.files().count == 1)
  }

  @Test("moves to another project: what was sent here is not sent there")
  func move() async throws {
    let (here, there) = (try await project(), try Sandbox())
    #expect(try await here.moontide("jobs", "export", "ledger.jsonl").status == 0)
    #expect(try await here.moontide("jobs", "export", "ledger.jsonl").status == 2)
    let lines = try String(contentsOfFile: here.path("ledger.jsonl"), encoding: .utf8).split(separator: "\n")
    for wrong in ["{}", lines.dropLast().joined(separator: "\n") + "\n"] {
      try there.write(wrong, to: "wrong.jsonl")
      let refused = try await there.moontide("jobs", "import", "wrong.jsonl")
      #expect(refused.status == 2 && !there.has(".moontide"), "\(refused)")
    }
    for name in ["a", "b", "c"] { try there.write(name, to: "in/\(name).md") }
    try there.write(Self.picky, to: "picky.lua")
    let imported = try await there.moontide("jobs", "import", here.path("ledger.jsonl"))
    #expect(imported.status == 0 && imported.output.contains("3 jobs"), "\(imported)")
    #expect(try await there.moontide("jobs", "import", here.path("ledger.jsonl")).status == 0)
    let run = try await there.moontide("run", "picky.lua")
    #expect(run.lastLine.contains("1 sent") && run.lastLine.contains("2 touched"), "\(run)")
    #expect(try await there.moontide("jobs", "import", here.path("ledger.jsonl")).status == 2)
  }
}

@Suite("moontide why, of files that were never a candidate")
struct WhyTests {
  @Test(
    "says what keeps a file from being one",
    arguments: [
      ("in/.hidden.md", "hidden"), ("in/drafts/x.md", "(x.lua:3)"), ("in/a.txt", "no include"),
      ("elsewhere/a.md", "not below the root"), ("in/none.md", "it is not there"), ("in/link.md", "link"),
    ])
  func reasons(path: String, words: String) async throws {
    let sandbox = try Sandbox()
    for name in ["in/a.md", "in/.hidden.md", "in/drafts/x.md", "in/a.txt", "elsewhere/a.md"] {
      try sandbox.write("x", to: name)
    }
    try FileManager.default.createSymbolicLink(
      atPath: sandbox.path("in/link.md"), withDestinationPath: "a.md")
    try sandbox.write(
      """
      return { name = "x", discover = {
        root = "in", include = { "**/*.md" },
        exclude = { "drafts/**" } } }
      """, to: "x.lua")
    #expect(try await sandbox.moontide("run", "x.lua").status == 0)
    let why = try await sandbox.moontide("why", path)
    #expect(why.status == 0 && why.output.contains(words), "\(why)")
  }
}

@Suite("One owner of a ledger")
struct OwnerTests {
  /// Runs until the file `go` is there.
  private static let slow = """
    return { name = "slow", discover = "in/*.md", rename = function(f)
      moontide.fs.write("began", "yes")
      while not moontide.fs.exists("go") do moontide.sleep(0.01) end
      return f.name
    end }
    """

  private func running() async throws -> (Sandbox, Running) {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/a.md")
    try sandbox.write(Self.slow, to: "slow.lua")
    let running = try sandbox.start("run", "slow.lua")
    try await sandbox.appears("began")
    return (sandbox, running)
  }

  @Test("others read beside it, and leave their wishes; --wait has its turn afterwards")
  func beside() async throws {
    let (sandbox, running) = try await running()
    let status = try await sandbox.moontide("status")
    #expect(status.output.contains("run slow.lua"), "\(status)")
    #expect(try await sandbox.moontide("jobs", "list").status == 0)
    let retry = try await sandbox.moontide("jobs", "retry", "--all")
    #expect(retry.status == 0 && retry.output.contains("It was asked"), "\(retry)")
    let second = try await sandbox.moontide("run", "slow.lua")
    #expect(second.status == 5 && second.errors.contains("since 20"), "\(second)")
    let waiting = try sandbox.start("run", "slow.lua", "--wait")
    try sandbox.write("", to: "go")
    #expect(try await running.finished().status == 0)
    let waited = try await waiting.finished()
    #expect(waited.status == 0 && waited.lastLine.contains("1 already done"), "\(waited)")
    #expect(try await sandbox.moontide("status").output.contains("No process"))
  }

  @Test("a watching owner does within moments what others ask: it tries again, pauses, goes on, and says so")
  func watching() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("", to: "strict")
    try sandbox.write(
      """
      return { name = "w", discover = "in/*.md", settle = 0, rescan = "1h", accept = function()
        return not moontide.fs.exists("strict") or moontide.reject("too strict")
      end, failed = { move = "dead/" } }
      """, to: "w.lua")
    try sandbox.write("a", to: "in/a.md")
    let watching = try sandbox.start("run", "w.lua", "--watch")
    try await watching.says("too strict")
    try await sandbox.appears("dead/in/a.md")
    try FileManager.default.removeItem(atPath: sandbox.path("strict"))
    let retry = try await sandbox.moontide("jobs", "retry", "--reason", "rejected")
    #expect(retry.status == 0 && retry.output.contains("It was asked"), "\(retry)")
    try await watching.says("asked     1 file is tried again, 1 put back already")
    try await watching.says("sent      in/a.md")
    #expect(sandbox.has("in/a.md") && !sandbox.has("dead/in/a.md"))

    #expect(try await sandbox.moontide("pause").status == 0)
    try await watching.says("paused since")
    try sandbox.write("b", to: "in/b.md")
    let status = try await sandbox.moontide("status")
    #expect(
      status.output.contains("run w.lua --watch") && status.output.contains("Paused since"), "\(status)")
    #expect(try await sandbox.files().count == 1)
    #expect(try await sandbox.moontide("resume").status == 0)
    try await watching.says("sent      in/b.md")

    let forget = try await sandbox.moontide("jobs", "forget", "in/b.md", "--yes")
    #expect(forget.status == 0, "\(forget)")
    try await watching.says("asked     1 file is forgotten")
    try await watching.says("sent      in/b.md", times: 2)
    watching.terminate()
    let run = try await watching.finished()
    #expect(run.status == 0, "\(run)")
    #expect(try await sandbox.files().count == 3)
  }

  @Test("a lock that kill -9 left behind is no obstacle")
  func killed() async throws {
    let (sandbox, running) = try await running()
    running.kill()
    _ = try await running.finished()
    #expect(sandbox.has(".moontide/ledger.lock"))
    #expect(try await sandbox.moontide("status").output.contains("No process"))
    try sandbox.write("", to: "go")
    #expect(try await sandbox.moontide("run", "slow.lua").status == 0)
  }

  @Test("a program that a script started does not hold the lock on when its parent is killed")
  func children() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/a.md")
    try sandbox.write(
      """
      return { name = "parent", discover = "in/*.md", permissions = { run = "sh" }, rename = function(f)
        if not moontide.fs.exists("go") then
          moontide.process.run { "sh", "-c", "echo $$ > child; while [ ! -e go ]; do sleep 0.05; done" }
        end
        return f.name
      end }
      """, to: "parent.lua")
    let running = try sandbox.start("run", "parent.lua", "--allow-run=sh")
    try await sandbox.appears("child")
    running.kill()
    _ = try await running.finished()
    let status = try await sandbox.moontide("status")
    #expect(status.output.contains("No process"), "\(status)")
    // The child ends by this too.
    try sandbox.write("", to: "go")
    #expect(try await sandbox.moontide("run", "parent.lua", "--allow-run=sh").status == 0)
  }
}
