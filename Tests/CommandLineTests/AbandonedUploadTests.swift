import FileSessions
import Foundation
import LocalService
import Synchronization
import Testing

@Suite("moontide files upload, after one that was killed,")
struct AbandonedUploadTests {
  /// Where uploads go, and from where.
  enum Place: String, CaseIterable, CustomTestStringConvertible {
    case local
    /// A directory that is a project, to a service on the network.
    case project
    /// One that is none.
    case elsewhere
    var testDescription: String { rawValue }
  }

  /// A sandbox with a large file and a small one, and the service that they are sent to.
  private struct Bench {
    let sandbox: Sandbox
    let store: LocalStore
    let environment: [String: String]

    func sessions() async throws -> [FileSession] {
      try await store.service().list(limit: nil, offset: nil).data
    }

    /// Waits until a session is open, at most half a minute.
    func pending() async throws -> FileSession {
      for _ in 0..<3000 {
        if let session = try await sessions().first(where: { $0.status == .pending }) { return session }
        try await Task.sleep(for: .milliseconds(10))
      }
      throw StubbedService.Timeout()
    }

    /// Begins to send the large file, and ends that as a power cut would.
    func killUpload() async throws -> FileSession {
      let running = try sandbox.start("files", "upload", "large.bin", environment: environment)
      let session = try await pending()
      running.kill()
      #expect(try await running.finished().status == -1)
      #expect(try await sessions().first { $0.id == session.id }?.status == .pending)
      return session
    }

    func upload(_ path: String) async throws -> Finished {
      try await sandbox.moontide("files", "upload", path, environment: environment)
    }
  }

  private func with(_ place: Place, _ body: (Bench) async throws -> Void) async throws {
    let sandbox = try Sandbox()
    try sandbox.makeHole("large.bin", size: 536_870_912)
    try sandbox.write("small", to: "small.txt")
    if place == .local {
      let store = try await LocalStore.open(sandbox.path(".moontide/local"))
      return try await body(Bench(sandbox: sandbox, store: store, environment: [:]))
    }
    if place == .project { try sandbox.write("", to: ".moontide/notes") }
    try await withRemote { remote in
      try await body(Bench(sandbox: sandbox, store: remote.store, environment: remote.environment))
    }
  }

  /// The records that are there, of this project and of the user.
  private func records(_ sandbox: Sandbox) -> [String] {
    [".moontide/uploads", "../state/moontide/uploads"].flatMap { directory in
      (try? FileManager.default.contentsOfDirectory(atPath: sandbox.path(directory))) ?? []
    }
  }

  @Test("cancels the session that was left open, and says so once", arguments: Place.allCases)
  func killed(place: Place) async throws {
    try await with(place) { bench in
      let session = try await bench.killUpload()
      #expect(records(bench.sandbox).count == 1)
      let next = try await bench.upload("small.txt")
      #expect(next.status == 0, "\(next)")
      #expect(
        next.errors.contains("large.bin") && next.errors.contains("\(session.id) is cancelled"), "\(next)")
      let sessions = try await bench.sessions()
      #expect(sessions.first { $0.id == session.id }?.status == .cancelled)
      #expect(sessions.count == 2 && sessions.filter { $0.status == .completed }.count == 1)
      #expect(records(bench.sandbox) == [])
      #expect(bench.sandbox.has(".moontide") == (place != .elsewhere))
      #expect(try await bench.upload("small.txt").errors.isEmpty)
    }
  }

  @Test("leaves alone what another process is sending, and what went to another service")
  func others() async throws {
    try await with(.project) { bench in
      let running = try bench.sandbox.start(
        "files", "upload", "large.bin", environment: bench.environment)
      let session = try await bench.pending()
      let meanwhile = try await bench.upload("small.txt")
      #expect(meanwhile.status == 0 && meanwhile.errors.isEmpty, "\(meanwhile)")
      #expect(try await bench.sessions().first { $0.id == session.id }?.status != .cancelled)
      #expect(try await running.finished().status == 0)

      let killed = try await bench.killUpload()
      let local = try await bench.sandbox.moontide("files", "upload", "small.txt", "--profile", "local")
      #expect(local.status == 0 && local.errors.isEmpty, "\(local)")
      #expect(try await bench.sessions().first { $0.id == killed.id }?.status == .pending)
      let next = try await bench.upload("small.txt")
      #expect(next.errors.contains("\(killed.id) is cancelled"), "\(next)")
    }
  }

  /// A service of which the answers to one call are lost until it is asked once more.
  private func losing(_ lost: String, completed isCompleted: Bool = false) throws -> StubbedService {
    let url = Mutex("")
    let stub = try StubbedService { name, times in
      if name == lost, times == 0 { return nil }
      switch name {
      case "POST /v1/files": return StubbedService.session("fil_1", "PENDING", uploadURL: url.withLock { $0 })
      case "PUT /bytes": return StubbedService.json(200, "")
      case "POST /v1/files/fil_1/complete", "GET /v1/files/fil_1":
        return StubbedService.session("fil_1", "COMPLETED")
      case "POST /v1/files/fil_1/cancel" where isCompleted:
        return StubbedService.json(409, #"{"error":{"type":"conflict","message":"It is COMPLETED."}}"#)
      default: return StubbedService.session("fil_1", "CANCELLED")
      }
    }
    url.withLock { $0 = stub.uploadURL }
    return stub
  }

  @Test("finds a session again whose opening was not answered, by its idempotency key")
  func unanswered() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("hello\n", to: "a.txt")
    let stub = try losing("POST /v1/files")
    let running = try sandbox.start("files", "upload", "a.txt", environment: stub.environment)
    try await stub.hasSeen("POST /v1/files")
    running.kill()
    _ = try await running.finished()

    let next = try await sandbox.moontide("files", "upload", "a.txt", environment: stub.environment)
    #expect(next.status == 0 && next.errors.contains("fil_1 is cancelled"), "\(next)")
    let calls = stub.calls
    #expect(
      calls.map(\.name) == [
        "POST /v1/files", "POST /v1/files", "POST /v1/files/fil_1/cancel", "POST /v1/files", "PUT /bytes",
        "POST /v1/files/fil_1/complete",
      ], "\(calls)")
    try #require(calls.count == 6)
    #expect(calls[0].idempotencyKey != nil && calls[1].idempotencyKey == calls[0].idempotencyKey)
    #expect(calls[3].idempotencyKey != calls[0].idempotencyKey)
    #expect(records(sandbox) == [])
  }

  @Test("says of a file that was completed all the same that it is there")
  func completed() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("hello\n", to: "a.txt")
    let stub = try losing("POST /v1/files/fil_1/complete", completed: true)
    let running = try sandbox.start("files", "upload", "a.txt", environment: stub.environment)
    try await stub.hasSeen("POST /v1/files/fil_1/complete")
    running.kill()
    _ = try await running.finished()
    let next = try await sandbox.moontide("files", "upload", "a.txt", environment: stub.environment)
    #expect(next.status == 0 && next.errors.contains("COMPLETED: fil_1"), "\(next)")
    #expect(records(sandbox) == [])
  }

  @Test("leaves a record that it does not understand, and clears away one in which nothing is open")
  func otherRecords() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("hello\n", to: "a.txt")
    try sandbox.write(#"{"version":2}"# + "\n", to: ".moontide/uploads/later.jsonl")
    try sandbox.write("no JSON\n", to: ".moontide/uploads/strange.jsonl")
    try sandbox.write("", to: ".moontide/uploads/empty.jsonl")
    try sandbox.write(#"{"vers"#, to: ".moontide/uploads/torn.jsonl")
    let upload = try await sandbox.moontide("files", "upload", "a.txt")
    #expect(upload.status == 0 && upload.errors.isEmpty, "\(upload)")
    #expect(records(sandbox).sorted() == ["later.jsonl", "strange.jsonl"])
  }

  @Test("keeps what it could not end for the next time")
  func refused() async throws {
    try await with(.project) { bench in
      let session = try await bench.killUpload()
      var wrong = bench.environment
      wrong["LIGHTFIELD_API_KEY"] = "sk_lf_0123456789wxyz"
      let refused = try await bench.sandbox.moontide("files", "upload", "small.txt", environment: wrong)
      #expect(refused.status == 4 && refused.errors.contains("large.bin"), "\(refused)")
      #expect(records(bench.sandbox).count == 1)
      let next = try await bench.upload("small.txt")
      #expect(next.errors.contains("\(session.id) is cancelled"), "\(next)")
      #expect(records(bench.sandbox) == [])
    }
  }
}
