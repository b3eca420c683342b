import Foundation
import Testing

@Suite("The story of a file")
struct StoryTests {
  private static let recipe = """
    return {
      name = "notes", discover = { root = "in" }, settle = 0,
      accept = function(file)
        if file.stem == "old" then
          local verdict = moontide.skip("too old")
          return verdict
        end
        if file.stem == "bad" then return moontide.reject("no title") end
        if file.stem == "soon" then return moontide.defer(3600, "not yet") end
        return true
      end,
      prepare = function(file, work)
        if file.ext ~= ".both" then return end
        moontide.fs.write(work .. "/1.txt", "one")
        moontide.fs.write(work .. "/2.txt", "two")
        return { work .. "/1.txt", work .. "/2.txt" }
      end,
      purpose = "meeting_transcript",
      completed = function(file)
        if file.stem == "kept" then return { copy = "copies" } end
        if file.stem == "gone" then return { remove = true } end
        return { move = "sent" }
      end,
    }
    """

  private func project() async throws -> Sandbox {
    let sandbox = try Sandbox()
    for name in ["old.md", "bad.md", "soon.md", "a.md", "kept.md", "gone.md", "meeting.both"] {
      try sandbox.write("text of \(name)", to: "in/" + name)
    }
    try sandbox.write(Self.recipe, to: "notes.lua")
    let run = try await sandbox.moontide("run", "notes.lua")
    #expect(run.status == 1 && run.lastLine.contains("1 skipped, 1 rejected"), "\(run)")
    return sandbox
  }

  private func why(_ path: String, in sandbox: Sandbox) async throws -> String {
    let result = try await sandbox.moontide("why", path)
    #expect(result.status == 0, "\(result)")
    return result.output
  }

  private func json(_ path: String, in sandbox: Sandbox) async throws -> [String: Any] {
    let output = try await sandbox.moontide("why", path, "--json").output
    return try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
  }

  @Test("names the handler that decided, with script and line")
  func deciders() async throws {
    let sandbox = try await project()
    #expect(
      try await why("in/old.md", in: sandbox).contains("skipped by accept (notes.lua:5): too old"))
    #expect(try await why("in/bad.md", in: sandbox).contains("rejected by accept (notes.lua:8): no title"))
    let soon = try await why("in/soon.md", in: sandbox)
    #expect(soon.contains("deferred by accept (notes.lua:9) until ") && soon.contains(": not yet"), "\(soon)")
    let sent = try await why("in/a.md", in: sandbox)
    #expect(
      sent.contains("  decided by accept (notes.lua:3), prepare (notes.lua:12), purpose (notes.lua:18)\n"),
      "\(sent)")
    let job = try #require((try await json("in/old.md", in: sandbox)["jobs"] as? [[String: Any]])?.first)
    #expect(job["decidedBy"] as? String == "accept (notes.lua:5)" && job["reason"] as? String == "too old")
  }

  @Test("tells where a file went, and of what is there now whose it is")
  func afterSteps() async throws {
    let sandbox = try await project()
    let moved = try await why("in/a.md", in: sandbox)
    #expect(
      moved.contains("  moved to sent/a.md\n") && moved.contains("  done  moved to sent/a.md\n"), "\(moved)")
    #expect(try await why("in/kept.md", in: sandbox).contains("  copied to copies/kept.md\n"))
    #expect(try await why("in/gone.md", in: sandbox).contains("  removed\n"))
    let there = try await why("sent/a.md", in: sandbox)
    #expect(
      there.contains(
        "Moontide itself put this file here from in/a.md (profile local), so it is not discovered again."),
      "\(there)")
    let trace = try #require((try await json("sent/a.md", in: sandbox)["traces"] as? [[String: Any]])?.first)
    #expect(trace["origin"] as? String == "in/a.md" && trace["isUntouched"] as? Bool == true)
    try sandbox.write("another text", to: "sent/a.md")
    #expect(try await why("sent/a.md", in: sandbox).contains("which has changed since"))
  }

  @Test("of a part names its whole, and of a whole its parts")
  func parts() async throws {
    let sandbox = try await project()
    let whole = try await why("in/meeting.both", in: sandbox)
    #expect(whole.contains("notes, profile local: sent in 2 parts"), "\(whole)")
    #expect(whole.contains("  part in/meeting.both/2.txt, 3 B, as 2.txt: sent\n"), "\(whole)")
    let part = try await why("in/meeting.both/2.txt", in: sandbox)
    #expect(part.hasPrefix("in/meeting.both/2.txt: a part of in/meeting.both\n"), "\(part)")
    #expect(part.contains("notes, profile local: sent\n") && !part.contains("does not see it"), "\(part)")
    let job = try #require(
      (try await json("in/meeting.both", in: sandbox)["jobs"] as? [[String: Any]])?.first)
    let paths = (job["parts"] as? [[String: Any]])?.compactMap { $0["path"] as? String }
    #expect(paths == ["in/meeting.both/1.txt", "in/meeting.both/2.txt"])
    let phases = (job["parts"] as? [[String: Any]])?.compactMap { $0["phase"] as? String }
    #expect(phases == ["done", "done"])
  }

  @Test("tells that a file has changed since, and what its recipe makes of it now")
  func changed() async throws {
    let sandbox = try await project()
    #expect(!(try await why("in/kept.md", in: sandbox)).contains("changed since"))
    try sandbox.write("another text", to: "in/kept.md")
    let text = try await why("in/kept.md", in: sandbox)
    #expect(text.contains("notes, profile local: sent\n") && text.contains("  the file has changed since\n"))
    #expect(text.contains("notes (notes.lua, profile local) would see it; it has not come to it"), "\(text)")
    let job = try #require((try await json("in/kept.md", in: sandbox)["jobs"] as? [[String: Any]])?.first)
    #expect(job["hasChanged"] as? Bool == true)
  }

  @Test("tells what else is at a path")
  func places() async throws {
    let sandbox = try await project()
    try FileManager.default.createSymbolicLink(
      atPath: sandbox.path("in/lost.md"), withDestinationPath: "elsewhere.md")
    let lost = try await why("in/lost.md", in: sandbox)
    #expect(
      lost.hasPrefix("in/lost.md: it is a symbolic link to elsewhere.md, which is not there\n"), "\(lost)")
    #expect(lost.contains("links are not followed"))
    #expect(try await why("in", in: sandbox).hasPrefix("in: it is a directory, not a file\n"))
    #expect(try await why("in/none.md", in: sandbox).hasPrefix("in/none.md: it is not there\n"))
    let facts = try await json("in/lost.md", in: sandbox)
    #expect(facts["linkTarget"] as? String == "elsewhere.md" && facts["isThere"] as? Bool == false)
    #expect(((facts["recipes"] as? [[String: Any]])?.first)?["view"] as? String == "unseen")
    for path in ["", "../elsewhere.md", "/etc/hosts"] {
      let refused = try await sandbox.moontide("why", path)
      #expect(refused.status == 2 && !refused.errors.isEmpty, "\(path): \(refused)")
    }
  }
}
