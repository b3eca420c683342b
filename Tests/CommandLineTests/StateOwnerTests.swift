import Foundation
import Testing

@Suite("A state directory")
struct StateOwnerTests {
  private func sandbox(_ projects: [String]) throws -> Sandbox {
    let sandbox = try Sandbox()
    for project in projects {
      try sandbox.write("of \(project)", to: project + "/in/a.md")
      try sandbox.write("return { name = 'n', discover = 'in/*', settle = 0 }", to: project + "/n.lua")
    }
    return sandbox
  }

  private func run(_ project: String, _ state: String?, _ more: String..., in sandbox: Sandbox) async throws
    -> Finished
  {
    try await Running(
      ["run", project + "/n.lua", "--project", project] + (state.map { ["--state", $0] } ?? []) + more,
      in: sandbox.root, environment: [:]
    ).finished()
  }

  @Test("holds nothing that others can read, also where others can look into the directory")
  func closed() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/a.md")
    try sandbox.write("return { name = 'c', discover = 'in/*', settle = 0 }", to: "c.lua")
    try FileManager.default.createDirectory(
      atPath: sandbox.path(".moontide"), withIntermediateDirectories: false,
      attributes: [.posixPermissions: 0o755])
    let running = try sandbox.start("run", "c.lua", "--watch")
    try await running.says("c: 1 found")
    for _ in 0..<6000 where !sandbox.has(".moontide/live.json") {
      try await Task.sleep(for: .milliseconds(10))
    }
    let open = try await sandbox.carryOut("find .moontide -type f -perm /077; ls .moontide")
    #expect(open.output.split(separator: "\n").allSatisfy { !$0.contains("/") }, "\(open)")
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "live.json"] {
      #expect(open.output.contains(name + "\n"), "\(open)")
    }
    running.interrupt()
    _ = try await running.finished()
  }

  @Test(
    "of another project is refused by all that is about files, which says whose it is",
    arguments: ["s", "a/.moontide"])
  func another(state: String) async throws {
    let sandbox = try sandbox(["a", "b"])
    #expect(try await run("a", state, in: sandbox).lastLine.contains("1 sent"))
    let refused = try await run("b", state, in: sandbox)
    #expect(
      refused.status == 2 && refused.errors.contains("belongs to the project /")
        && refused.errors.contains("/project/a; this is"),
      "\(refused)")
    for words in [["status"], ["why", "in/a.md"], ["jobs", "list"], ["run", "b/n.lua", "--dry-run"]] {
      let result = try await Running(
        words + ["--project", "b", "--state", state], in: sandbox.root, environment: [:]
      ).finished()
      #expect(result.status == 2 && result.errors.contains("--state"), "\(words): \(result)")
    }
    #expect(try await run("a", state, in: sandbox).lastLine.contains("1 already done"))
  }

  @Test("goes on with its project that is moved together with it, without a word")
  func movedTogether() async throws {
    let sandbox = try sandbox(["a"])
    #expect(try await run("a", nil, in: sandbox).lastLine.contains("1 sent"))
    try FileManager.default.moveItem(atPath: sandbox.path("a"), toPath: sandbox.path("c"))
    let moved = try await run("c", nil, in: sandbox)
    #expect(moved.status == 0 && moved.lastLine.contains("1 already done"), "\(moved)")
  }

  @Test("outside of a project that is moved is adopted once it is told")
  func adopted() async throws {
    let sandbox = try sandbox(["a"])
    #expect(try await run("a", "s", in: sandbox).lastLine.contains("1 sent"))
    try FileManager.default.moveItem(atPath: sandbox.path("a"), toPath: sandbox.path("c"))
    let refused = try await run("c", "s", in: sandbox)
    #expect(refused.status == 2 && refused.errors.contains("which is not there any more"), "\(refused)")
    #expect(refused.errors.contains("--adopt-state"), "\(refused)")
    #expect(try await run("c", "s", "--adopt-state", in: sandbox).lastLine.contains("1 already done"))
    #expect(try await run("c", "s", in: sandbox).status == 0)
  }
}
