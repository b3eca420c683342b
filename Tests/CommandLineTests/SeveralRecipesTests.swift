import Foundation
import Testing

@Suite("moontide run with several recipes")
struct SeveralRecipesTests {
  private func sandbox() throws -> Sandbox {
    let sandbox = try Sandbox()
    for number in 1...4 { try sandbox.write("\(number)", to: "in/\(number).txt") }
    try sandbox.write("return { name = 'whole', discover = 'in/*' }", to: "whole.lua")
    try sandbox.write("return { name = 'part', discover = 'in/1.txt' }", to: "part.lua")
    return sandbox
  }

  @Test("runs them side by side, tells each one's count and the total, and of files that several take")
  func sideBySide() async throws {
    let sandbox = try sandbox()
    let run = try await sandbox.moontide("run", "whole.lua", "part.lua")
    #expect(run.status == 0 && run.lastLine.hasPrefix("total: 5 found, 5 sent"), "\(run)")
    #expect(run.output.contains("whole: 4 found, 4 sent") && run.output.contains("part: 1 found, 1 sent"))
    #expect(run.output.contains("part: sent      in/1.txt"), "\(run)")
    #expect(run.output.contains("note      in/1.txt was sent for "), "\(run)")
    let why = try await sandbox.moontide("why", "in/1.txt")
    #expect(
      why.output.contains("2 recipes have taken it (profile local), each for itself: part, whole"), "\(why)")
    let again = try await sandbox.moontide("run", "part.lua", "whole.lua", "--json")
    let events = try again.output.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    #expect(events.dropLast().allSatisfy { ["part", "whole"].contains($0["recipe"] as? String) }, "\(again)")
    #expect(events.last?["event"] as? String == "total")
  }

  @Test(
    "refuses two of one name, one that is named twice, and one that does not load, before anything begins")
  func refusals() async throws {
    let sandbox = try sandbox()
    try sandbox.write("return { name = 'whole', discover = '*.txt' }", to: "other.lua")
    try sandbox.write("return { name = 'broken' }", to: "broken.lua")
    let names = try await sandbox.moontide("run", "whole.lua", "other.lua")
    #expect(names.status == 3 && names.errors.contains("both have name = \"whole\""), "\(names)")
    let twice = try await sandbox.moontide("run", "whole.lua", "in/../whole.lua")
    #expect(twice.status == 2 && twice.errors.contains("named twice"), "\(twice)")
    let broken = try await sandbox.moontide("run", "whole.lua", "broken.lua")
    #expect(broken.status == 3 && broken.errors.contains("discover"), "\(broken)")
    #expect(try await sandbox.files().isEmpty)
  }

  @Test("one that is quarantined does not stop the other, and its status is the run's")
  func quarantine() async throws {
    let sandbox = try sandbox()
    try sandbox.write(
      """
      return { name = "endless", discover = "in/*", limits = { instructions = 100000 },
        rename = function(file) while true do end end }
      """, to: "endless.lua")
    let run = try await sandbox.moontide("run", "endless.lua", "whole.lua")
    #expect(run.status == 3 && run.errors.contains("moontide: endless: "), "\(run)")
    #expect(run.output.contains("whole: 4 found, 4 sent"), "\(run)")
  }

  @Test(
    "while watching, each is loaded anew for itself, and none takes the name of another",
    .timeLimit(.minutes(3)))
  func watching() async throws {
    let sandbox = try sandbox()
    for (name, directory) in [("one", "a"), ("two", "b")] {
      try sandbox.write(
        "return { name = '\(name)', discover = '\(directory)/*', settle = 0, completed = { move = 'sent' } }",
        to: "\(name).lua")
      try sandbox.write("", to: "\(directory)/.keep")
    }
    let running = try sandbox.start("run", "--watch", "one.lua", "two.lua")
    try sandbox.write("first", to: "a/1.txt")
    try await sandbox.appears("sent/a/1.txt")
    try sandbox.write("return { name = 'one', discover = 'b/*', settle = 0 }", to: "two.lua")
    try await running.says("both have name")
    try sandbox.write(
      "return { name = 'two', discover = 'c/*', settle = 0, completed = { move = 'sent' } }", to: "two.lua")
    try await running.says("two.lua is loaded anew")
    try sandbox.write("second", to: "c/2.txt")
    try await sandbox.appears("sent/c/2.txt")
    try sandbox.write("third", to: "a/3.txt")
    try await sandbox.appears("sent/a/3.txt")
    running.terminate()
    let ended = try await running.finished()
    #expect(ended.status == 0 && ended.output.contains("total: "), "\(ended)")
  }

  // MARK: - A file that one of them takes away

  /// Four files that `takes` moves away and `reads` takes as well.
  private func shared() throws -> Sandbox {
    let sandbox = try sandbox()
    try sandbox.write(
      "return { name = 'takes', discover = 'in/*', settle = 0, completed = { move = 'sent' } }",
      to: "takes.lua")
    try sandbox.write("return { name = 'reads', discover = 'in/*', settle = 0 }", to: "reads.lua")
    return sandbox
  }

  private func expectSentTwiceAndMoved(_ sandbox: Sandbox, _ files: Int = 4) async throws {
    let sessions = try await sandbox.files()
    #expect(sessions.count == 2 * files && sessions.allSatisfy { $0.status == "COMPLETED" }, "\(sessions)")
    for number in 1...files {
      #expect(sandbox.has("sent/in/\(number).txt") && !sandbox.has("in/\(number).txt"))
    }
  }

  @Test("is planned for both, and sent for both", arguments: [["takes", "reads"], ["reads", "takes"]])
  func planned(order: [String]) async throws {
    let sandbox = try shared()
    let scripts = order.map { "\($0).lua" }
    let plan = try await sandbox.moontide("run", scripts[0], scripts[1], "--dry-run", "--json")
    let rows = try plan.output.split(separator: "\n").compactMap { line in
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    }.filter { $0["verdict"] != nil }
    #expect(rows.count == 8 && rows.allSatisfy { $0["verdict"] as? String == "send" }, "\(plan)")
    let moved = rows.filter { !(($0["steps"] as? [Any]) ?? []).isEmpty }
    #expect(moved.count == 4 && moved.allSatisfy { $0["recipe"] as? String == "takes" }, "\(plan)")
    let run = try await sandbox.moontide("run", scripts[0], scripts[1])
    #expect(run.status == 0 && run.lastLine.hasPrefix("total: 8 found, 8 sent"), "\(run)")
    try await expectSentTwiceAndMoved(sandbox)
  }

  @Test("goes where the first of two wants it, as planned, and the other says so")
  func bothMove() async throws {
    let sandbox = try shared()
    try sandbox.write(
      "return { name = 'reads', discover = 'in/*', settle = 0, completed = { move = 'other' } }",
      to: "reads.lua")
    let note = "is not there any more: takes moved it to sent/in/1.txt"
    let plan = try await sandbox.moontide("run", "takes.lua", "reads.lua", "--dry-run")
    #expect(plan.status == 0 && plan.output.contains(note), "\(plan)")
    let run = try await sandbox.moontide("run", "takes.lua", "reads.lua")
    #expect(run.status == 0 && run.output.contains("in/1.txt \(note)"), "\(run)")
    try await expectSentTwiceAndMoved(sandbox)
    #expect(!sandbox.has("other"))
  }

  @Test(
    "stays for one that puts it off, as planned",
    arguments: [
      (["takes", "reads"], "stays where it is until then: that takes moved it to sent/in/2.txt has to wait"),
      (["reads", "takes"], "stays until reads is done with it, which deferred it: not today"),
    ])
  func putOff(order: [String], note: String) async throws {
    let sandbox = try shared()
    try sandbox.write(
      """
      return { name = 'reads', discover = 'in/*', settle = 0, accept = function(file)
        if file.stem == '2' then return moontide.defer(3600, 'not today') end
        return true
      end }
      """, to: "reads.lua")
    let scripts = order.map { "\($0).lua" }
    let plan = try await sandbox.moontide("run", scripts[0], scripts[1], "--dry-run")
    #expect(plan.status == 0 && plan.output.contains(note), "\(plan)")
    let run = try await sandbox.moontide("run", scripts[0], scripts[1])
    #expect(run.status == 0 && sandbox.has("in/2.txt") && sandbox.has("sent/in/1.txt"), "\(run)")
    let why = try await sandbox.moontide("why", "in/2.txt")
    #expect(
      why.output.contains("left to do: move to sent, once reads is done with the file"), "\(why)")
    let json = try await sandbox.moontide("why", "in/2.txt", "--json")
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    let jobs = object?["jobs"] as? [[String: Any]] ?? []
    let step = try #require(jobs.compactMap { $0["step"] as? [String: Any] }.first, "\(json)")
    #expect(step["action"] as? String == "move" && step["directory"] as? String == "sent", "\(json)")
    #expect(step["staysFor"] as? [String] == ["reads"], "\(json)")
  }

  @Test(
    "goes where the other one rejects it, as planned", arguments: [["takes", "reads"], ["reads", "takes"]])
  func rejected(order: [String]) async throws {
    let sandbox = try shared()
    try sandbox.write(
      """
      return { name = 'reads', discover = 'in/*', settle = 0, failed = function() end,
        accept = function() return moontide.reject('no') end }
      """, to: "reads.lua")
    let scripts = order.map { "\($0).lua" }
    let plan = try await sandbox.moontide("run", scripts[0], scripts[1], "--dry-run")
    #expect(plan.output.contains("move sent/in/1.txt") && !plan.output.contains("stays"), "\(plan)")
    let run = try await sandbox.moontide("run", scripts[0], scripts[1])
    #expect(run.status == 1 && sandbox.has("sent/in/1.txt") && !run.output.contains("stays"), "\(run)")
  }

  @Test("stays for one that has not come to it, since a marker is missing, as planned")
  func unmarked() async throws {
    let sandbox = try shared()
    try sandbox.write("", to: "in/2.txt.done")
    try sandbox.write(
      "return { name = 'reads', discover = 'in/*.txt', settle = 0, ready = '{name}.done' }", to: "reads.lua")
    let note = "stays until reads is done with it, which has not taken it yet"
    let plan = try await sandbox.moontide("run", "reads.lua", "takes.lua", "--dry-run")
    #expect(plan.output.contains(note) && plan.output.contains("move sent/in/2.txt"), "\(plan)")
    let run = try await sandbox.moontide("run", "reads.lua", "takes.lua")
    #expect(run.output.contains(note) && sandbox.has("in/1.txt") && sandbox.has("sent/in/2.txt"), "\(run)")
  }

  @Test("stays for one that was killed before it had it, or is in quarantine", .timeLimit(.minutes(2)))
  func interrupted() async throws {
    let sandbox = try shared()
    let reads =
      "return { name = 'reads', discover = 'in/*', settle = 0, limits = { instructions = 100000 }, accept = "
    try sandbox.write(reads + "function() moontide.sleep(600) end }", to: "reads.lua")
    let running = try sandbox.start("run", "takes.lua", "reads.lua")
    for number in 1...4 { try await running.says("takes: sent      in/\(number).txt") }
    running.kill()
    _ = try await running.finished()
    for number in 1...4 { #expect(sandbox.has("in/\(number).txt")) }
    try sandbox.write(reads + "function() while true do end end }", to: "reads.lua")
    let second = try await sandbox.moontide("run", "takes.lua", "reads.lua")
    #expect(second.status == 3 && second.output.contains("for other recipes until a later run"), "\(second)")
    try sandbox.write("return { name = 'reads', discover = 'in/*', settle = 0 }", to: "reads.lua")
    let third = try await sandbox.moontide("run", "takes.lua", "reads.lua")
    #expect(third.status == 0, "\(third)")
    try await expectSentTwiceAndMoved(sandbox)
  }

  @Test("is taken by both while watching, and then goes", .timeLimit(.minutes(2)))
  func watchedByBoth() async throws {
    let sandbox = try shared()
    let running = try sandbox.start("run", "--watch", "takes.lua", "reads.lua")
    for number in 1...4 { try await sandbox.appears("sent/in/\(number).txt") }
    for number in 5...20 { try sandbox.write("\(number)", to: "in/\(number).txt") }
    for number in 5...20 { try await sandbox.appears("sent/in/\(number).txt") }
    running.terminate()
    let ended = try await running.finished()
    #expect(ended.status == 0, "\(ended)")
    try await expectSentTwiceAndMoved(sandbox, 20)
  }
}
