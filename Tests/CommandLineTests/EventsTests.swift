import Foundation
import Testing
import moontide

@Suite("events in JSON", .timeLimit(.minutes(10)))
struct EventsTests {
  /// What `docs/events.md` says of an event.
  private struct Documented {
    var always: Set<String> = []
    var sometimes: Set<String> = []
    var example = ""
  }

  private typealias Object = [String: Any]

  private static func object(_ line: some StringProtocol) throws -> Object {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? Object, "\(line)")
  }

  private static func documented() throws -> [String: Documented] {
    let text = try String(contentsOfFile: Repository.path("docs/events.md"), encoding: .utf8)
    var events: [String: Documented] = [:]
    var name: String?
    for line in text.split(separator: "\n") {
      if let match = line.wholeMatch(of: #/## `(\w+)`/#) {
        name = String(match.1)
      } else if line.hasPrefix("## ") {
        name = nil
      }
      guard let name else { continue }
      // Calls and totals belong to no recipe.
      let common: Set<String> =
        ["call", "total"].contains(name) ? ["v", "event"] : ["v", "event", "recipe"]
      var event = events[name] ?? Documented(always: common)
      if let match = line.prefixMatch(of: #/\| `(\w+)` \| (always|sometimes) \| \S/#) {
        if match.2 == "always" {
          event.always.insert(String(match.1))
        } else {
          event.sometimes.insert(String(match.1))
        }
      } else if line.hasPrefix("{") {
        event.example = String(line)
      }
      events[name] = event
    }
    return events
  }

  @Test("are all documented, each with an example that has just its fields")
  func documentation() throws {
    let events = try Self.documented()
    #expect(Set(events.keys) == Set(EventName.allCases.map(\.rawValue)))
    let fields = events.values.reduce(into: Set<String>()) { $0.formUnion($1.always.union($1.sometimes)) }
    #expect(fields == Set(EventField.allCases.map(\.rawValue)))
    for (name, event) in events {
      let example = try Self.object(event.example)
      #expect(example["event"] as? String == name && example["v"] as? Int == 1)
      Self.expect(example, fits: event)
    }
  }

  private static func expect(_ object: Object, fits event: Documented?) {
    guard let event else {
      Issue.record("\(object) is not documented")
      return
    }
    let fields = Set(object.keys)
    #expect(fields.isSuperset(of: event.always), "\(object)")
    #expect(fields.isSubset(of: event.always.union(event.sometimes)), "\(object)")
  }

  @Test("have the fields that are documented, in runs in which much happens")
  func emitted() async throws {
    let events = try Self.documented()
    var seen: Set<String> = []
    func take(_ output: String) throws {
      for line in output.split(separator: "\n") {
        let object = try Self.object(line)
        let name = try #require(object["event"] as? String)
        Self.expect(object, fits: events[name])
        seen.insert(name)
      }
    }
    try await withRemote { remote in
      let sandbox = try Sandbox()
      for name in ["a", "b", "reject", "skip", "defer", "broken", "stuck"] {
        try sandbox.write(name, to: "in/\(name).md")
      }
      try sandbox.write("", to: "in/empty.md")
      try sandbox.write(
        """
        return { name = "much", discover = "in/*.md", settle = 0, purpose = "knowledge_user",
          accept = function(f)
            if f.stem == "reject" then return moontide.reject("not that one") end
            if f.stem == "skip" then return moontide.skip("of no interest") end
            if f.stem == "defer" then return moontide.defer(3600, "tomorrow") end
            if f.stem == "broken" then local x; x.y = 1 end
            return true
          end,
          completed = function(f)
            if f.stem == "stuck" then error("no room") end
            if f.stem == "b" then return { move = "sent/" } end
          end,
          summary = function(totals) return totals.no.such end,
        }
        """, to: "much.lua")
      let first = try await sandbox.moontide(
        "run", "much.lua", "--json", "-vv", environment: remote.environment)
      #expect(first.status == 1, "\(first)")
      try take(first.output)
      #expect(!first.output.contains(remote.key) && !first.output.contains("signature"))
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)], ofItemAtPath: sandbox.path("in/a.md")
      )
      try take(
        try await sandbox.moontide("run", "much.lua", "--json", environment: remote.environment).output)
      let watching = try sandbox.start(
        "run", "much.lua", "--json", "--watch", environment: remote.environment)
      try await watching.says(#""event":"caught_up""#)
      try await sandbox.moontide("jobs", "retry", "in/reject.md")
      try await watching.says(#""event":"answered""#)
      watching.terminate()
      try take(try await watching.finished().output)
    }
    #expect(
      seen.isSuperset(of: [
        "began", "resuming", "problem", "skipped", "deferred", "decided", "opened", "sent", "touched",
        "failed",
        "rejected", "finished", "step_failed", "answered", "watching", "caught_up", "failures", "call",
        "summary",
      ]), "\(seen.sorted())")
  }

  @Test("tell of tries that failed, and of calls by their ids with -vv, never of keys and signatures")
  func calls() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("text 1", to: "in/a.txt")
    try sandbox.write("return { name = 'c', discover = 'in/*', settle = 0 }", to: "c.lua")
    let uploads = try StubbedService { _, _ in StubbedService.json(200, "") }
    let service = try StubbedService { name, times in
      switch name {
      case "POST /v1/files" where times == 0:
        StubbedService.json(
          503, #"{"error":{"type":"service_unavailable","message":"busy"}}"#, requestID: "req_busy")
      case "POST /v1/files":
        StubbedService.session("fil_1", "PENDING", uploadURL: uploads.uploadURL + "?signature=secret")
      case "POST /v1/files/fil_1/complete": StubbedService.session("fil_1", "COMPLETED")
      default: nil
      }
    }
    let text = try await sandbox.moontide("run", "c.lua", "-vv", environment: service.environment)
    #expect(text.status == 0, "\(text)")
    for expected in [
      "decided   in/a.txt → a.txt (text/plain, 6 B)", "call      POST /v1/files 503 in ", "(req_busy)",
      "again     in/a.txt: create in ", "opened    in/a.txt: fil_1", "call      PUT http://127.0.0.1:",
      "call      POST /v1/files/fil_1/complete 200 in ",
    ] {
      #expect(text.output.contains(expected), "\(expected) in \(text.output)")
    }
    #expect(!text.output.contains("sk_lf_") && !text.output.contains("signature"), "\(text.output)")

    let plain = try await sandbox.moontide("run", "c.lua")
    #expect(!plain.output.contains("decided") && !plain.output.contains("call "), "\(plain)")
  }

  @Test("come with what handlers log for debugging only with -v")
  func debugging() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/a.txt")
    try sandbox.write(
      """
      return { name = "d", discover = "in/*", accept = function(f)
        moontide.log.debug("thinking of " .. f.name)
        moontide.log.info("saw " .. f.name)
        return true
      end }
      """, to: "d.lua")
    let plain = try await sandbox.moontide("run", "d.lua", "--profile", "local")
    #expect(plain.errors == "d.lua: saw a.txt\n", "\(plain)")
    try sandbox.write("y", to: "in/b.txt")
    let verbose = try await sandbox.moontide("run", "d.lua", "--verbose")
    #expect(verbose.errors == "d.lua: debug: thinking of b.txt\nd.lua: saw b.txt\n", "\(verbose)")
  }
}
