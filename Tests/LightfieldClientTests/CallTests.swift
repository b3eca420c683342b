import FileSessions
import Foundation
import LightfieldClient
import Testing

@Suite("A call of the API")
struct CallTests {
  @Test("goes to the base URL's own path with the key and the version", arguments: APICall.all)
  func common(call: APICall) async throws {
    let server = try StubServer { Fixture.answer($0, bytesAt: "http://127.0.0.1:1") }
    try await withClient(server.url + "/base/") { try? await call.run($0) }
    let request = try #require(server.requests.first)
    #expect(server.requests.count == 1)
    #expect(request.target.hasPrefix("/base/v1/"))
    #expect(request.header("authorization") == "Bearer \(markedKey)")
    #expect(request.header("lightfield-version") == "2026-03-01")
    #expect(request.header("accept") == "application/json")
    #expect(request.header("user-agent") == "moontide/test")
    #expect(request.method == (call.isWrite ? "POST" : "GET"))
    #expect(request.header("content-type") == (call.isWrite ? "application/json" : nil))
  }

  @Test("opens a session, and tells where the bytes go")
  func create() async throws {
    let server = try StubServer { Fixture.answer($0, bytesAt: "https://store.test") }
    let opened = try await withClient(server.url) { try await $0.create(APICall.newFile, key: "key-1") }
    #expect(opened.session.filename == "a_1.md" && opened.session.status == .pending)
    #expect(
      opened.target
        == .presigned(
          url: "https://store.test/bytes?signature=x%2By", headers: ["content-type": "text/markdown"]))
    let request = try #require(server.requests.first)
    #expect(request.header("idempotency-key") == "key-1")
    let body = try JSONDecoder().decode(JSONValue.self, from: Data(request.body))
    #expect(
      body
        == .object([
          "filename": .string("Übung/ 1.md"), "mimeType": .string("text/markdown"), "sizeBytes": .integer(5),
          "purpose": .string("knowledge_user"),
        ]))
  }

  @Test("is the same to the byte when it is repeated", arguments: APICall.all.filter(\.isWrite))
  func repeated(call: APICall) async throws {
    let server = try StubServer { Fixture.answer($0, bytesAt: "https://store.test") }
    try await withClient(server.url) { client in for _ in 0..<5 { try await call.run(client) } }
    #expect(server.requests.count == 5 && Set(server.requests.map(\.body)).count == 1)
  }

  @Test("reads sessions, lists, meetings and what a key may do")
  func answers() async throws {
    let server = try StubServer { Fixture.answer($0, bytesAt: "https://store.test") }
    try await withClient(server.url) { (client) async throws in
      #expect(try await client.complete("fil_1", md5: nil, key: nil).status == .completed)
      #expect(try await client.list(limit: 1, offset: 2).totalCount == 7)
      #expect(try await client.url("fil_1").url == "https://store.test/bytes?signature=z")
      #expect(try await client.retrieveMeeting("mtg_1").transcript == "fil_1")
      #expect(try await client.listMeetings(limit: nil, offset: nil).data.first?.title == "Weekly")
      #expect(try await client.validateAuthorization().scopes == ["files:read"])
    }
  }

  @Test(
    "keeps an id in its place in the path",
    arguments: [("fil 1/../x?y#z", "/v1/files/fil%201%2F..%2Fx%3Fy%23z"), ("…", "/v1/files/%E2%80%A6")])
  func ids(id: String, target: String) async throws {
    let server = try StubServer { _ in .reply(200, Fixture.file) }
    _ = try await withClient(server.url) { try await $0.retrieve(id) }
    #expect(server.requests.map(\.target) == [target])
  }

  @Test("is not made with an id or a key that cannot be sent", arguments: ["", ".", ".."])
  func refusedIDs(id: String) async throws {
    let server = try StubServer { _ in .reply(200, Fixture.file) }
    try await withClient(server.url) { client in
      let error = await #expect(throws: ServiceError.self) { try await client.retrieve(id) }
      #expect(error?.kind == .badRequest && error?.param == "id")
      await #expect(throws: ServiceError.self) {
        try await client.create(APICall.newFile, key: "a\r\nX-Evil: 1")
      }
    }
    #expect(server.requests.isEmpty)
  }

  @Test(
    "needs a service that is reached by https, or on this machine",
    arguments: [
      ("http://api.lightfield.app", false), ("https://user:hunter2@api.test", false), ("ftp://x.test", false),
      ("https://api.test/?q=1", false), ("", false), ("http://127.0.0.1.evil.test", false),
      ("http://localhost:8080", true), ("http://[::1]:8080", true), ("https://api.test/prefix", true),
    ])
  func baseURLs(url: String, isTaken: Bool) async throws {
    do {
      try await withClient(url) { _ in }
      #expect(isTaken)
    } catch let error as ServiceError {
      #expect(!isTaken)
      #expect(!error.message.contains("hunter2"))
    }
  }

  @Test("ends within a moment when its task is cancelled")
  func cancelled() async throws {
    let server = try StubServer { _ in .silence }
    let error = try await withClient(server.url) { client in
      let task = Task { () -> ServiceError? in
        do throws(ServiceError) {
          _ = try await client.retrieve("fil_1")
          return nil
        } catch {
          return error
        }
      }
      while server.requests.isEmpty { await Task.yield() }
      task.cancel()
      return await task.value
    }
    #expect(error == .cancelled)
  }
}
