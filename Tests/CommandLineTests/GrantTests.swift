import Foundation
import Glibc
import ScriptTestSupport
import Testing

@Suite("Flags that grant")
struct GrantTests {
  private static func answer(_ body: String, status: String = "200 OK") -> [String] {
    ["HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"]
  }

  @Test("A recipe connects to nothing without permission, is told the flag, and reaches the server with it")
  func http() async throws {
    let server = try LoopbackServer { _ in Self.answer("hello") }
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/a.md")
    try sandbox.write(
      """
      return { name = "r", discover = "in/*.md", accept = function()
        moontide.fs.write("answer", moontide.http.get("http://127.0.0.1:\(server.port)/").body)
        return true
      end }
      """, to: "r.lua")
    let flag = "--allow-net=127.0.0.1:\(server.port)"
    let denied = try await sandbox.moontide("run", "r.lua")
    #expect(denied.status == 1 && denied.output.contains("moontide.http.get: not permitted"), "\(denied)")
    #expect(denied.output.contains("allow it with \(flag)"), "\(denied)")
    #expect(server.requests.isEmpty)

    let allowed = try await sandbox.moontide("run", "r.lua", flag)
    #expect(allowed.status == 0 && allowed.lastLine.contains("1 sent"), "\(allowed)")
    #expect(server.requests.count == 1)
    #expect(try String(contentsOfFile: sandbox.path("answer"), encoding: .utf8) == "hello")
  }

  @Test("The example that notifies posts once for each report, and sends no key along")
  func notify() async throws {
    let server = try LoopbackServer { _ in Self.answer("ok") }
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "reports/a.pdf")
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let example = tests.deletingLastPathComponent().appendingPathComponent("scripts/recipes/notify.lua")
    try sandbox.write(try Data(contentsOf: example), to: "notify.lua")
    let environment = [
      "SLACK_WEBHOOK": "http://127.0.0.1:\(server.port)/services/T0",
      "LIGHTFIELD_API_KEY": "sk_lf_very_secret",
      "HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1",
    ]
    for _ in 1...2 {
      let run = try await sandbox.moontide(
        "run", "notify.lua", "--profile", "local", "--allow-net=notify:127.0.0.1",
        "--allow-env=notify:SLACK_WEBHOOK", environment: environment)
      #expect(run.status == 0, "\(run)")
    }
    #expect(server.requests.count == 1)
    let request = try #require(server.requests.first)
    #expect(
      request.hasPrefix("POST /services/T0 HTTP/1.1\r\n") && request.contains(" is in the workspace now."))
    #expect(!request.contains("sk_lf_very_secret") && !request.lowercased().contains("authorization"))
  }

  @Test("A flag for one script is for no other, and for one that is not there it is warned of")
  func named() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("print(moontide.env.HOOK)", to: "good.lua")
    let environment = ["HOOK": "value"]
    let good = try await sandbox.moontide(
      "exec", "--allow-env=good:HOOK", "good.lua", environment: environment)
    #expect(good.status == 0 && good.output == "value\n" && good.errors.isEmpty, "\(good)")
    let other = try await sandbox.moontide(
      "exec", "--allow-env=god:HOOK", "good.lua", environment: environment)
    #expect(other.status == 3 && other.errors.contains("--allow-env=HOOK"), "\(other)")
    #expect(other.errors.contains("\"god\", but there is only \"good\""), "\(other)")
    try sandbox.write("return { name = 'r', discover = '*.md' }", to: "r.lua")
    let run = try await sandbox.moontide("run", "r.lua", "--allow-all=slack")
    #expect(run.status == 0 && run.errors.contains("\"slack\", but there is only \"r\""), "\(run)")
  }

  @Test("Ctrl-C ends a request that is not answered", .timeLimit(.minutes(1)))
  func interrupted() async throws {
    let server = try LoopbackServer { _ in [] }
    let sandbox = try Sandbox()
    try sandbox.write(
      "moontide.http.get('http://127.0.0.1:\(server.port)/', { timeout = 3600 })", to: "s.lua")
    let running = try sandbox.start("exec", "--allow-net", "s.lua")
    while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    running.interrupt()
    #expect(try await running.finished().status == 130)
  }

  @Test(
    "A program that a script runs finds no key in the process that started it", .enabled(if: geteuid() != 0))
  func memory() async throws {
    let sandbox = try Sandbox()
    try sandbox.write(
      """
      local result = moontide.process.run { "sh", "-c", "cat /proc/$PPID/environ" }
      print(result.status ~= 0, result.stdout)
      """, to: "s.lua")
    let run = try await sandbox.moontide(
      "exec", "--profile", "local", "--allow-run=sh", "s.lua",
      environment: ["LIGHTFIELD_API_KEY": "sk_lf_very_secret"])
    #expect(run.output == "true\t\n", "\(run)")
  }
}
