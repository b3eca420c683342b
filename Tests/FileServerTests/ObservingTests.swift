import CoreMetrics
import FileServer
import FileSessions
import Foundation
import MetricsServer
import Testing

@Suite struct ObservingTests {
  @Test func `The access log has a line of JSON for each request, and no secret`() async throws {
    let bench = try await Bench()
    let marker = "sk_lf_"
    try await bench.serving { api in
      let opened = try await api.open(3)
      _ = try await api.put([1, 2, 3], to: opened)
      _ = try await api.send("PUT", opened.uploadUrl + "0", [1, 2, 3], opened.uploadHeaders)
      _ = try await api.call("GET", "/v1/files/\(api.key)")
      _ = try await api.call("GET", "/\(api.key)?key=\(api.key)")
      _ = try await api.call("GET", "/v1/files?key=\(api.key)", nil, ["x-key": api.key])
      let lines = bench.log.all.map(\.line)
      #expect(lines.count == 6)
      for line in lines {
        #expect(!line.contains(api.key) && !line.contains(marker) && !line.contains("signature="), "\(line)")
      }
      #expect(!api.server.metricsText.contains(marker))
      let create = bench.log.all[0]
      #expect(create.method == "POST" && create.path == "/v1/files" && create.status == 200)
      #expect(create.organisation == "org_a" && create.received > 0 && create.sent > 0)
      #expect(bench.log.all[1].id == opened.id && bench.log.all[1].received == 3)
      #expect(bench.log.all[2].error == "signature_invalid")
      let object = try JSONDecoder().decode([String: JSONValue].self, from: Data(lines[0].utf8))
      #expect(object["time"]?.string == "2026-04-08T11:00:00.123Z")
      #expect(object["request"]?.string?.hasPrefix("req_") == true)
    }
  }

  @Test func `Metrics count requests, bytes and sessions, in Prometheus' text`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let opened = try await api.complete(noise(1000))
      _ = try await api.call("GET", "/v1/files/fil_none")
      _ = try await api.send("GET", api.downloadURL(of: opened.id))
      let reply = try await api.send("GET", api.address.url + "/metrics")
      #expect(reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
      let lines = Set(reply.text.split(separator: "\n").map(String.init))
      for expected in [
        "# TYPE moontide_http_requests_total counter",
        #"moontide_http_requests_total{route="GET /v1/files/{id}",status="404"} 1"#,
        #"moontide_http_requests_total{route="PUT /uploads/{id}",status="200"} 1"#,
        #"moontide_sessions_total{event="opened"} 1"#, #"moontide_sessions_total{event="completed"} 1"#,
        #"moontide_sessions_total{event="cancelled"} 0"#, #"moontide_rate_limited_total{category="write"} 0"#,
        "moontide_http_requests_in_flight 1",
        #"moontide_http_request_seconds_count{route="PUT /uploads/{id}"} 1"#,
      ] {
        #expect(lines.contains(expected), "\(expected)")
      }
      for line in lines {
        #expect(
          line.wholeMatch(of: /# HELP \S+ .+|# TYPE \S+ (counter|gauge|histogram)|[a-z_]+(\{.*\})? \S+/)
            != nil, "\(line)")
      }
    }
  }

  @Test func `A histogram counts cumulatively, and label values are escaped`() {
    let registry = PrometheusRegistry()
    let timer = CoreMetrics.Timer(label: "t", dimensions: [("a", "x\"\\\n")], factory: registry)
    timer.recordNanoseconds(7_000_000)
    timer.recordNanoseconds(3_000_000_000)
    let text = registry.text
    #expect(text.hasPrefix("# TYPE t histogram\n"))
    #expect(text.contains(#"t_bucket{a="x\"\\\n",le="0.005"} 0"#))
    #expect(text.contains(#"t_bucket{a="x\"\\\n",le="0.01"} 1"#))
    #expect(text.contains(#"t_bucket{a="x\"\\\n",le="5"} 2"#))
    #expect(text.contains(#"t_bucket{a="x\"\\\n",le="+Inf"} 2"#))
    #expect(text.contains(#"t_count{a="x\"\\\n"} 2"#))
  }
}
