import Foundation
import Testing

@Suite("failures of a run by reason")
struct RollupTests {
  private static let recipe = """
    return { name = "mixed-up", discover = "in/*", settle = 0,
      accept = function(f)
        if f.stem:find("small") then return moontide.reject("it's too small") end
        if f.stem:find("broken") then local x; x.y = 1 end
        return true
      end,
      completed = function(f) if f.stem:find("stuck") then error("no room for " .. f.name) end end,
    }
    """

  private func sandbox() throws -> Sandbox {
    let sandbox = try Sandbox()
    for name in ["small-1", "small-2", "small-3", "small-4", "broken", "stuck-1", "stuck-2", "fine"] {
      try sandbox.write(name, to: "in/\(name).txt")
    }
    try sandbox.write("", to: "in/empty.txt")
    try sandbox.write(Self.recipe, to: "mixed up.lua")
    return sandbox
  }

  @Test("come before the summary, the most frequent first, with commands that try just these again")
  func commands() async throws {
    let sandbox = try sandbox()
    let run = try await sandbox.moontide("run", "mixed up.lua", "--state", ".moontide")
    #expect(run.status == 1 && run.lastLine.contains("9 found, 3 sent"), "\(run)")
    let lines = run.output.split(separator: "\n").map(String.init)
    let first = try #require(
      lines.firstIndex(of: "4 files of mixed-up, rejected: it's too small"), "\(run.output)")
    #expect(lines[first + 1] == "    in/small-1.txt, in/small-2.txt, in/small-3.txt, …", "\(run.output)")
    #expect(lines.contains("2 files of mixed-up, sent, after-step failed: mixed up.lua:7: in completed"))
    #expect(lines.contains("1 file of mixed-up, script: mixed up.lua:4: in accept"), "\(run.output)")

    let commands = lines.filter { $0.hasPrefix("    again: ") }.map { $0.dropFirst("    again: ".count) }
    #expect(commands.count == 4, "\(run.output)")
    let retries = commands.filter { $0.hasPrefix("moontide jobs retry ") }
    var retried: [Int] = []
    for command in retries {
      let result = try await sandbox.carryOut(String(command))
      #expect(result.status == 0, "\(command): \(result)")
      retried += (0...9).filter { result.output.hasPrefix("\($0) file") }
    }
    #expect(retried == [4, 1, 1], "\(retries)")

    // What follows on sending is tried again by the run itself.
    try sandbox.write(Self.recipe.replacing("stuck", with: "nothing"), to: "mixed up.lua")
    let again = try #require(commands.first { $0.hasPrefix("moontide run ") })
    let rest = try await sandbox.carryOut(String(again))
    #expect(!rest.output.contains("after-step failed"), "\(rest)")
    #expect(try await sandbox.files().count == 3)
  }

  @Test("stay with what `failed` does with the files", arguments: ["move = 'dead'", "copy = 'dead'"])
  func afterSteps(step: String) async throws {
    let sandbox = try Sandbox()
    for number in 1...4 { try sandbox.write("\(number)", to: "in/\(number).txt") }
    try sandbox.write(
      """
      return { name = "r", discover = "in/*", settle = 0, failed = { \(step) },
        accept = function() return moontide.reject("no\\27[31m\\nreally not") end }
      """, to: "r.lua")
    let run = try await sandbox.moontide("run", "r.lua")
    #expect(run.status == 1 && sandbox.has("dead/in/4.txt"), "\(run)")
    #expect(
      run.output.contains("rejected  in/1.txt: no\\x1b[31m\n            really not\n"), "\(run)")
    #expect(run.output.contains("\n4 files of r, rejected: no\\x1b[31m\n    in/"), "\(run)")
    let again = try #require(run.output.firstMatch(of: /again: (moontide jobs retry .*)/))
    #expect(!run.output.contains("\u{1B}"), "\(run)")
    let retry = try await sandbox.carryOut(String(again.1))
    #expect(retry.output.hasPrefix("4 files"), "\(again.1): \(retry)")
    for number in 1...4 { try sandbox.write("more of \(number)", to: "in/\(number).txt") }
    let json = try await sandbox.moontide("run", "r.lua", "--json")
    let events = json.output.split(separator: "\n").filter { $0.contains(#""event":"failures""#) }
    #expect(events.count == 1 && events[0].contains(#""count":4"#), "\(json)")
  }

  @Test("are the same in the status, each with a command that tries again just its files")
  func status() async throws {
    let sandbox = try Sandbox()
    for name in ["odd-1", "odd-2", "odd-3", "plain", "slow-1", "slow-2"] {
      try sandbox.write(name, to: "in/\(name).txt")
    }
    try sandbox.write("", to: "in/empty.txt")
    try sandbox.write(
      """
      return { name = "m", discover = "in/*", settle = 0,
        accept = function(f)
          if f.stem == "plain" then return moontide.reject("slow") end
          return not f.stem:find("slow") or moontide.reject("too slow")
        end,
        purpose = function(f) if f.stem:find("odd") then return "odd" end end }
      """, to: "m.lua")
    let run = try await sandbox.moontide("run", "m.lua")
    let told = run.output.split(separator: "\n").filter { $0.contains(" of m, ") }
    let groups = try JSONDecoder().decode(
      Status.self, from: Data(try await sandbox.moontide("status", "--json").output.utf8)
    ).failures
    let reasons = groups.map { "\($0.count) \($0.kind): \($0.reason)" }
    #expect(
      Set(reasons) == [
        "3 service: invalid_value", "1 limit: invalid_value", "1 rejected: slow", "2 rejected: too slow",
      ], "\(run)")
    #expect(told.count == groups.count, "\(run)")
    for group in groups {
      #expect(run.output.contains("again: \(group.retry)\n"), "\(run)")
      let result = try await sandbox.carryOut(group.retry)
      #expect(result.output.hasPrefix("\(group.count) file"), "\(group): \(result)")
    }
  }

  private struct Status: Decodable {
    struct Group: Decodable {
      var kind, reason, retry: String
      var count: Int
    }

    var failures: [Group]
  }

  @Test("take no more lines for many files than for few, each with a reason of its own")
  func many() async throws {
    let sandbox = try Sandbox()
    for number in 1...200 { try sandbox.write("x", to: "in/\(number).txt") }
    try sandbox.write(
      "return { name = 'm', discover = 'in/*', accept = function(f) return moontide.reject('not ' .. f.name) end }",
      to: "m.lua")
    let run = try await sandbox.moontide("run", "m.lua", "--quiet")
    let groups = run.output.split(separator: "\n").filter { $0.contains(" of m, rejected") }
    #expect(groups.count == 51, "\(groups)")
    #expect(groups.first?.hasPrefix("150 files of m, rejected, such as: not ") == true, "\(groups)")
    // There is no reason that names just the rest.
    #expect(
      run.output.contains(
        "    all of this kind again: moontide jobs retry --profile local --recipe m --kind rejected\n"),
      "\(run)")
    let json = try await sandbox.moontide("run", "m.lua", "--json")
    let events = json.output.split(separator: "\n").filter { $0.contains(#""event":"failures""#) }
    #expect(events.count == 51 && events.contains { $0.contains(#""count":150"#) })
    let retry = try await sandbox.moontide("jobs", "retry", "--recipe", "m", "--reason", "rejected")
    #expect(retry.output.hasPrefix("200 files"), "\(retry)")
  }
}

extension Sandbox {
  /// Runs a line that was printed for a person to run, in which the program is the one that was built.
  func carryOut(_ line: String) async throws -> Finished {
    let script = "moontide() { \"$MOONTIDE_PROGRAM\" \"$@\"; }\n" + line
    return try await Running(
      ["-c", script], in: root, environment: ["MOONTIDE_PROGRAM": Running.executable],
      executable: "/bin/bash"
    ).finished()
  }
}
