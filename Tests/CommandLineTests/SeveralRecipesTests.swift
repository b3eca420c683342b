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
}
