import Foundation
import LocalService
import Synchronization
import Testing

@Suite("A command")
struct RefusedCallTests {
  @Test(
    "to upload opens a new session, under a new key, where the first, or its signature, has expired",
    arguments: [(403, "POST /v1/files/fil_1/cancel"), (409, "GET /v1/files/fil_1")])
  func expired(status: Int, next: String) async throws {
    let sandbox = try Sandbox()
    try sandbox.write("hello\n", to: "a.txt")
    let url = Mutex("")
    let stub = try StubbedService { name, times in
      switch name {
      case "POST /v1/files":
        return StubbedService.session("fil_\(times + 1)", "PENDING", uploadURL: url.withLock { $0 })
      case "PUT /bytes" where times == 0:
        return StubbedService.json(status, "<Error><Code>AccessDenied</Code></Error>")
      case "PUT /bytes": return StubbedService.json(200, "")
      case "POST /v1/files/fil_2/complete": return StubbedService.session("fil_2", "COMPLETED")
      case "GET /v1/files/fil_1": return StubbedService.session("fil_1", "EXPIRED")
      default: return StubbedService.session("fil_1", "CANCELLED")
      }
    }
    url.withLock { $0 = stub.uploadURL }
    let upload = try await sandbox.moontide("files", "upload", "a.txt", environment: stub.environment)
    #expect(upload.status == 0 && upload.output.hasPrefix("fil_2\tCOMPLETED"), "\(upload)")
    let calls = stub.calls
    #expect(
      calls.map(\.name) == [
        "POST /v1/files", "PUT /bytes", next, "POST /v1/files", "PUT /bytes",
        "POST /v1/files/fil_2/complete",
      ], "\(calls)")
    // One for each of the calls that change something.
    let keys = calls.filter { $0.name.hasPrefix("POST ") }.map(\.idempotencyKey)
    #expect(Set(keys).count == keys.count && !keys.contains(nil), "\(keys)")
  }

  @Test("to upload gives up after three sessions whose signatures are refused, and leaves none open")
  func neverSigned() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("hello\n", to: "a.txt")
    let url = Mutex("")
    let stub = try StubbedService { name, times in
      switch name {
      case "POST /v1/files":
        StubbedService.session("fil_\(times + 1)", "PENDING", uploadURL: url.withLock { $0 })
      case "PUT /bytes": StubbedService.json(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
      default: StubbedService.session("fil_1", "CANCELLED")
      }
    }
    url.withLock { $0 = stub.uploadURL }
    let upload = try await sandbox.moontide("files", "upload", "a.txt", environment: stub.environment)
    #expect(upload.status == 1 && upload.errors.contains("3 sessions"), "\(upload)")
    let names = stub.calls.map(\.name)
    #expect((1...3).allSatisfy { names.contains("POST /v1/files/fil_\($0)/cancel") }, "\(names)")
  }

  @Test(
    "that changes something carries one idempotency key and one body over all tries",
    arguments: [
      ["files", "create", "--filename", "a", "--mime-type", "a/b", "--size-bytes", "1"],
      ["files", "complete", "fil_1"], ["files", "cancel", "fil_1"], ["files", "upload", "a.txt"],
      [
        "meetings", "create", "--title", "a", "--start-date", "2026-04-08T09:00:00Z", "--end-date",
        "2026-04-08T10:00:00Z",
      ],
      ["meetings", "attach", "mtg_1", "fil_1"],
    ])
  func keys(arguments: [String]) async throws {
    let sandbox = try Sandbox()
    try sandbox.write("hello\n", to: "a.txt")
    let stub = try StubbedService { _, _ in
      StubbedService.json(503, #"{"error":{"type":"service_unavailable","message":"Later."}}"#)
    }
    let run = try await Running(arguments, in: sandbox.root, environment: stub.environment).finished()
    #expect(run.status == 4, "\(run)")
    let calls = stub.calls
    #expect(calls.count == 3 && calls.allSatisfy { $0.name.hasPrefix("POST ") }, "\(calls)")
    #expect(Set(calls.map(\.idempotencyKey)).count == 1 && calls.first?.idempotencyKey != nil, "\(calls)")
    #expect(Set(calls.map(\.body)).count == 1, "\(calls.map(\.body))")
  }

  static let refusals = [
    (409, #""type":"conflict""#, "(409, conflict, request req_7)"),
    (
      400, #""type":"bad_request","code":"invalid_value","param":"filename""#,
      "(400, invalid_value, filename, request req_7)"
    ),
  ]

  @Test(
    "tells status, type, code, parameter and request of a refusal: in words, in JSON and to scripts",
    arguments: refusals)
  func refused(status: Int, fields: String, bracket: String) async throws {
    struct Line: Decodable {
      struct Failure: Decodable {
        var status: Int
        var type, requestId: String
        var code, param: String?
      }
      var event: String
      var failure: Failure?
    }
    let sandbox = try Sandbox()
    try sandbox.write("hello\n", to: "a.txt")
    try sandbox.write(
      """
      local function tell(e) return table.concat({ e.type, e.status, e.request_id, e.code, e.param }, " ") end
      return { name = "r", discover = "*.txt",
        failed = function(_, failure) moontide.log.info(tell(failure)) end }
      """, to: "r.lua")
    try sandbox.write(
      """
      local ok, e = pcall(moontide.files.create, { filename = "x", mime_type = "a/b", size_bytes = 1 })
      print(e.type, e.status, e.code, e.param, e.request_id)
      """, to: "plain.lua")
    let body = #"{"error":{\#(fields),"message":"No."}}"#
    let stub = try StubbedService { _, _ in StubbedService.json(status, body, requestID: "req_7") }
    let run = try await sandbox.moontide("run", "r.lua", environment: stub.environment)
    #expect(run.status == 1 && run.output.contains("failed    a.txt: No. \(bracket)\n"), "\(run)")
    let type = status == 409 ? "conflict" : "bad_request"
    let (code, param) = status == 409 ? (nil, nil) : ("invalid_value", "filename")
    let rest = [code, param].compactMap { $0.map { " " + $0 } }.joined()
    #expect(run.errors.contains("\(type) \(status) req_7\(rest)\n"), "\(run)")
    #expect(try await sandbox.moontide("why", "a.txt").output.contains("No. \(bracket)"))
    // As the record has it: it is not tried again.
    let again = try await sandbox.moontide("run", "r.lua", "--json", environment: stub.environment)
    let lines = try again.output.split(separator: "\n").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8))
    }
    let failure = try #require(lines.first { $0.event == "failed" }?.failure, "\(again)")
    #expect(failure.status == status && failure.type == type && failure.requestId == "req_7")
    #expect(failure.code == code && failure.param == param)
    let exec = try await sandbox.moontide(
      "exec", "--allow-service=files:create", "plain.lua", environment: stub.environment)
    #expect(exec.output == "\(type)\t\(status)\t\(code ?? "nil")\t\(param ?? "nil")\treq_7\n", "\(exec)")
  }

  @Test("names a scope once where the key lacks it, and none where something else is in the way")
  func forbidden() async throws {
    try await withRemote { remote in
      let sandbox = try Sandbox()
      try sandbox.write("hello\n", to: "a.txt")
      func refusal(_ key: String, _ arguments: String...) async throws -> String {
        let environment = remote.environment.merging(["LIGHTFIELD_API_KEY": key]) { $1 }
        let run = try await Running(arguments, in: sandbox.root, environment: environment).finished()
        #expect(run.status == 4, "\(run)")
        return run.errors
      }
      let member = try await remote.key("member", scopes: [])
      let purpose = try await refusal(member, "files", "upload", "a.txt", "--purpose", "knowledge_workspace")
      #expect(
        purpose.contains("takes an admin of the organisation.") && !purpose.contains("scope"), "\(purpose)")
      let reader = try await remote.key("reader", scopes: [.filesRead])
      let scope = try await refusal(reader, "files", "upload", "a.txt")
      #expect(scope.components(separatedBy: "files:create").count == 2, "\(scope)")
      let meetings = try await refusal(reader, "meetings", "list")
      #expect(meetings.components(separatedBy: "meetings:read").count == 2, "\(meetings)")
      #expect(
        !meetings.contains("knowledge_workspace") && meetings.contains("LIGHTFIELD_API_KEY"), "\(meetings)")
    }
  }
}
