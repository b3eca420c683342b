import Foundation
import Glibc
import Testing

@Suite("moontide trust")
struct TrustTests {
  private let sandbox: Sandbox
  /// Where the user's configuration is.
  private let home: Sandbox

  init() throws {
    sandbox = try Sandbox()
    home = try Sandbox()
    try sandbox.write("x", to: "in/a.md")
    try sandbox.write("return '!'", to: "lib/tool.lua")
    try sandbox.write(Self.recipe, to: "r.lua")
  }

  private static let recipe = """
    local tool = require "tool"
    return {
      name = "r", discover = "in/*.md", permissions = { env = "HOOK", read = "../beside" },
      accept = function(file)
        moontide.fs.write("told", moontide.env.HOOK .. tool)
        return true
      end,
    }
    """

  private var environment: [String: String] { ["HOME": home.root, "XDG_CONFIG_HOME": "", "HOOK": "value"] }

  private func told() throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: sandbox.path("told"))), as: UTF8.self)
  }

  @Test("shows what a recipe asks for, and grants it until a byte of it or of a module changes")
  func trust() async throws {
    let before = try await sandbox.moontide("run", "r.lua", environment: environment)
    #expect(
      before.status == 1 && before.output.contains("--allow-env=HOOK, or with moontide trust r.lua"),
      "\(before)")

    let asked = try await sandbox.moontide("trust", "r.lua", environment: environment)
    #expect(
      asked.status == 2 && asked.errors.contains("no terminal") && asked.errors.contains("--yes"), "\(asked)")
    let lines = asked.output.split(separator: "\n")
    #expect(lines.count == 3 && lines[0].hasPrefix("r.lua, with its modules tool (lib/tool.lua), asks to"))
    #expect(lines[2].contains("read files in /") && lines[2].hasSuffix("/beside"))
    #expect(lines[1].hasSuffix("read from your environment HOOK"))
    #expect(!home.has(".config"))

    let trusted = try await sandbox.moontide("trust", "r.lua", "--yes", environment: environment)
    #expect(trusted.status == 0, "\(trusted)")
    let run = try await sandbox.moontide("run", "r.lua", environment: environment)
    #expect(run.status == 0 && run.lastLine.contains("1 sent"), "\(run)")
    #expect(try told() == "value!")

    for (path, text) in [("lib/tool.lua", "return '?'"), ("r.lua", Self.recipe + "\n")] {
      try sandbox.write("new content for \(path)", to: "in/a.md")
      try sandbox.write(text, to: path)
      let changed = try await sandbox.moontide("run", "r.lua", environment: environment)
      #expect(changed.status == 1 && changed.output.contains("--allow-env=HOOK"), "\(changed)")
      #expect(changed.errors.contains("r.lua is trusted in another version"), "\(changed)")
      let again = try await sandbox.moontide("trust", "r.lua", "--yes", environment: environment)
      #expect(again.status == 0 && again.output.contains("It was trusted before, in another version."))
      #expect(try await sandbox.moontide("run", "r.lua", environment: environment).status == 0)
    }
  }

  @Test(
    "asks on a terminal, and grants only what is answered with yes",
    arguments: [("y\n", Int32(0)), ("\n", 1)])
  func terminal(answer: String, status: Int32) async throws {
    let terminal = try Terminal()
    terminal.type(answer)
    let running = try Running(
      ["trust", "r.lua"], in: sandbox.root, environment: environment, input: terminal.side)
    let asked = try await running.finished()
    #expect(asked.status == status && asked.errors.contains("Trust it with that? [y/N]"), "\(asked)")
    let run = try await sandbox.moontide("run", "r.lua", environment: environment)
    #expect(run.status == status, "\(run)")
  }

  @Test("gives nothing for what a project brings along")
  func fromProject() async throws {
    #expect(try await sandbox.moontide("trust", "r.lua", "--yes", environment: environment).status == 0)
    let trust = try Data(contentsOf: URL(fileURLWithPath: home.path(".config/moontide/trust.json")))
    let places = [".config/moontide/trust.json", ".moontide/trust.json", "trust.json", "lib/trust.json"]
    for path in places {
      try sandbox.write(trust, to: path)
      chmod(sandbox.path(path), 0o600)
    }
    let clone = try Sandbox()
    var elsewhere = environment
    elsewhere["HOME"] = clone.root
    let run = try await sandbox.moontide("run", "r.lua", environment: elsewhere)
    #expect(run.status == 1 && run.output.contains("--allow-env=HOOK"), "\(run)")

    // Even where the user's own configuration lies in the project.
    var inside = environment
    inside["XDG_CONFIG_HOME"] = sandbox.path(".config")
    let warned = try await sandbox.moontide("run", "r.lua", environment: inside)
    #expect(warned.status == 1 && warned.errors.contains("lies inside of the project"), "\(warned)")
    let refused = try await sandbox.moontide("trust", "r.lua", "--yes", environment: inside)
    #expect(refused.status == 2 && refused.errors.contains("lies inside of the project"), "\(refused)")
  }

  @Test("lists and forgets")
  func forget() async throws {
    #expect(try await sandbox.moontide("trust", "r.lua", "--yes", environment: environment).status == 0)
    let list = try await sandbox.moontide("trust", "--list", environment: environment)
    #expect(list.output.contains("/r.lua (") && list.output.contains("env: HOOK"), "\(list)")
    let forgotten = try await sandbox.moontide("trust", "--forget", "r.lua", environment: environment)
    #expect(forgotten.status == 0)
    #expect(
      try await sandbox.moontide("trust", "--list", environment: environment).output
        == "No recipe is trusted.\n")
    #expect(try await sandbox.moontide("run", "r.lua", environment: environment).status == 1)
  }

  @Test("says that there is nothing to grant, and refuses calls that mean nothing")
  func calls() async throws {
    try sandbox.write("return { name = 'plain', discover = '*.md' }", to: "plain.lua")
    let plain = try await sandbox.moontide("trust", "plain.lua", environment: environment)
    #expect(plain.status == 0 && plain.output.contains("asks for nothing"), "\(plain)")
    for words in [[], ["--list", "r.lua"], ["--list", "--forget", "r.lua"]] {
      let run = try await Running(["trust"] + words, in: sandbox.root, environment: environment).finished()
      #expect(run.status == 2, "\(words)")
    }
    #expect(try await sandbox.moontide("trust", "missing.lua", environment: environment).status == 3)
    let nowhere = try await sandbox.moontide(
      "trust", "r.lua", "--yes", environment: ["HOME": "", "XDG_CONFIG_HOME": ""])
    #expect(nowhere.status == 2 && nowhere.errors.contains("no place to keep trust"), "\(nowhere)")
  }
}
