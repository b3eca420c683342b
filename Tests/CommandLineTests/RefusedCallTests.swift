import Foundation
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
    "that changes something carries one idempotency key over all tries",
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
  }
}
