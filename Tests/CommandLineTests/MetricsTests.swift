import AsyncHTTPClient
import Foundation
import Testing

@Suite("metrics of a run", .timeLimit(.minutes(10)))
struct MetricsTests {
  @Test("are served in Prometheus' text while it runs: jobs, bytes, calls, handlers, budget stops, queue")
  func metrics() async throws {
    let sandbox = try Sandbox()
    for name in ["a", "b", "long"] { try sandbox.write("text \(name)", to: "in/\(name).txt") }
    try sandbox.write(
      """
      return { name = 'metered-m', discover = 'in/*', settle = 0,
        rename = function(f)
          while f.stem == "long" do end
          return f.name
        end }
      """, to: "m.lua")
    let running = try sandbox.start(
      "run", "m.lua", "--watch", "--metrics", "127.0.0.1:0", "--limit", "instructions=1M")
    try await running.says(": 3 found")
    let url = try #require(try await running.saidURL())
    let answer = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(60))
    #expect(answer.headers.first(name: "content-type") == "text/plain; version=0.0.4; charset=utf-8")
    let text = String(buffer: try await answer.body.collect(upTo: 1 << 20))
    let lines = text.split(separator: "\n").map(String.init)
    for expected in [
      #"moontide_jobs{profile="local",recipe="metered-m",phase="done"} 2"#,
      #"moontide_jobs{profile="local",recipe="metered-m",phase="failed"} 1"#,
      #"moontide_outcomes_total{recipe="metered-m",outcome="sent"} 2"#,
      #"moontide_outcomes_total{recipe="metered-m",outcome="failed"} 1"#,
      "moontide_sent_bytes_total 12", "moontide_read_bytes_total 12",
      #"moontide_calls_total{call="POST /v1/files",status="200"} 2"#,
      #"moontide_calls_total{call="POST /v1/files/{id}/complete",status="200"} 2"#,
      #"moontide_calls_total{call="PUT",status="200"} 2"#,
      #"moontide_handler_seconds_count{script="m",handler="rename"} 3"#,
      #"moontide_budget_stops_total{script="m",handler="rename"} 1"#,
      "moontide_queue_files 0", "moontide_transfers 0", "moontide_paused 0",
    ] {
      #expect(lines.contains(expected), "\(expected) in \(text)")
    }
    Self.expectValid(lines)
    let other = try await HTTPClient.shared.execute(
      HTTPClientRequest(url: url + "/other"), timeout: .seconds(60))
    #expect(other.status == .notFound)
    running.terminate()
    #expect(try await running.finished().status == 0)
  }

  /// Each metric has its help and its type before its samples, and stands in one piece.
  private static func expectValid(_ lines: [String]) {
    var names: [String] = []
    var (helped, typed) = (Set<String>(), Set<String>())
    for line in lines {
      if let match = line.wholeMatch(of: #/# HELP (\S+) .+/#) {
        helped.insert(String(match.1))
      } else if let match = line.wholeMatch(of: #/# TYPE (\S+) (counter|gauge|histogram)/#) {
        #expect(!typed.contains(String(match.1)), "\(line)")
        typed.insert(String(match.1))
        names.append(String(match.1))
      } else if let match = line.wholeMatch(
        of: #/([a-z_]+?)(_bucket|_sum|_count)?(\{([a-z]+="([^"\\]|\\["\\n])*",?)+\})? [0-9.e+-]+/#)
      {
        let name = names.last ?? ""
        #expect(line.hasPrefix(name) && helped.contains(name), "\(line)")
        #expect(match.1.count > 0)
      } else {
        Issue.record("no line of the format: \(line)")
      }
    }
    #expect(names.count > 10 && helped == typed)
  }

  @Test(
    "are refused where nobody can listen, before anything is sent", arguments: ["256.0.0.1:1", "nowhere"])
  func refused(place: String) async throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/a.txt")
    try sandbox.write("return { name = 'm', discover = 'in/*' }", to: "m.lua")
    let run = try await sandbox.moontide("run", "m.lua", "--metrics", place)
    #expect(run.status == 2 && run.errors.contains("--metrics"), "\(run)")
    #expect(try await sandbox.moontide("files", "list").output == "")
    #expect(!run.errors.contains("errno") && !run.errors.contains("SocketAddress"), "\(run)")
  }
}

extension Running {
  /// The address that the process has printed.
  func saidURL() async throws -> String? {
    try await says("/metrics\n")
    return said.firstMatch(of: #/http:\/\/\S+\/metrics/#).map { String($0.0) }
  }
}
