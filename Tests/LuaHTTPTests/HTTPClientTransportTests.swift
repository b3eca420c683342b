import FileSessions
import Foundation
import LuaHTTP
import LuaHost
import LuaLibrary
import ScriptTestSupport
import Testing
import Workspace

/// `moontide.http` over real sockets.
@Suite struct HTTPClientTransportTests {
  private static func answer(_ body: String, _ headers: String = "", status: String = "200 OK") -> [String] {
    [
      "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\(headers)\r\n\(body)"
    ]
  }

  /// Runs a script that may connect to this machine, and gives what it returned.
  private func run(
    _ source: String, ports: [Int], through transport: HTTPClientTransport = HTTPClientTransport(),
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) async throws -> [LuaValue] {
    let directory = NSTemporaryDirectory() + "/lua-http-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var grants = PermissionGrants()
    let base = PathBase(directory: directory)
    for port in ports { try grants.allow(.net, "127.0.0.1:\(port)", base: base) }
    let context = LibraryContext(
      workspace: try Workspace(root: directory), types: MIMETypes(), service: NoService(),
      permissions: Permissions(script: "test.lua", grants: grants, project: base), web: transport,
      sleep: sleep,
      newKey: { "" })
    let script = try LuaScript(LuaLibrary.configuration(context))
    let result = await Task {
      try await script.load(
        source: source, name: "test.lua", arguments: ports.map { .string("http://127.0.0.1:\($0)") })
    }.result
    try await transport.shutdown()
    return try result.get()
  }

  @Test("A request arrives as it was asked for, and nothing is added but the client's name")
  func arrives() async throws {
    let server = try LoopbackServer { _ in Self.answer("hello", "X-A: b\r\n") }
    let values = try await run(
      """
      local r = moontide.http.post(... .. "/path?q=1", { body = "body", headers = { Authorization = "mine" } })
      return r.status, r.body, r.headers["x-a"]
      """, ports: [server.port])
    #expect(values == [200, "hello", "b"])
    let lines = try #require(server.requests.first).components(separatedBy: "\r\n")
    #expect(lines.first == "POST /path?q=1 HTTP/1.1")
    #expect(lines.last == "body")
    let headers = lines.dropFirst().filter { !$0.isEmpty && $0 != "body" }.map { $0.lowercased() }.sorted()
    #expect(
      headers == [
        "authorization: mine", "content-length: 4", "host: 127.0.0.1:\(server.port)", "user-agent: moontide",
      ])
  }

  @Test("A redirect to a server that is not permitted is never asked")
  func deniedRedirect() async throws {
    let other = try LoopbackServer { _ in Self.answer("secret") }
    let server = try LoopbackServer { _ in
      Self.answer("", "Location: http://127.0.0.1:\(other.port)/\r\n", status: "302 Found")
    }
    let error = await #expect(throws: LuaError.self) {
      try await run("moontide.http.get(... .. '/')", ports: [server.port])
    }
    #expect((error?.underlying as? PermissionError)?.access == .net(host: "127.0.0.1", port: other.port))
    #expect(server.requests.count == 1)
    #expect(other.requests.isEmpty)
  }

  @Test("A redirect to a permitted server is followed without what was meant for the first")
  func redirect() async throws {
    let other = try LoopbackServer { _ in Self.answer("there") }
    let server = try LoopbackServer { _ in
      Self.answer("", "Location: http://127.0.0.1:\(other.port)/\r\n", status: "307 Temporary Redirect")
    }
    let values = try await run(
      "return moontide.http.get(... .. '/', { headers = { Authorization = 'mine', Cookie = 'c' } }).body",
      ports: [server.port, other.port])
    #expect(values == ["there"])
    #expect(server.requests.first?.contains("mine") == true)
    #expect(other.requests.first?.lowercased().contains("authorization") == false)
    #expect(other.requests.first?.lowercased().contains("cookie") == false)
  }

  @Test("An answer beyond max_size is an error, whether it says its length or not")
  func tooLarge() async throws {
    let server = try LoopbackServer { line in
      line.contains("/told")
        ? Self.answer(String(repeating: "x", count: 1001))
        : ["HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"]
          + Array(repeating: String(repeating: "x", count: 500), count: 3)
    }
    let values = try await run(
      """
      local base, codes = ..., {}
      for _, path in ipairs { "/told", "/untold" } do
        local ok, err = pcall(moontide.http.get, base .. path, { max_size = 1000 })
        codes[#codes + 1] = err.code
      end
      return codes[1], codes[2], #moontide.http.get(base .. "/told", { max_size = 1001 }).body
      """, ports: [server.port])
    #expect(values == ["too_large", "too_large", 1001])
  }

  @Test("A server that says nothing is given up at the timeout", .timeLimit(.minutes(1)))
  func silence() async throws {
    let server = try LoopbackServer { _ in [] }
    let values = try await run(
      "return select(2, pcall(moontide.http.get, ... .. '/', { timeout = 5 })).code", ports: [server.port],
      // The time passes when the request has arrived.
      sleep: { _ in while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(2)) } })
    #expect(values == ["timeout"])
  }

  @Test("A server that is not there, or speaks no HTTP, is an error of the connection")
  func connection() async throws {
    let free = try LoopbackServer { _ in [] }.port
    let server = try LoopbackServer { _ in ["SSH-2.0-OpenSSH\r\n"] }
    let source = "return select(2, pcall(moontide.http.get, ... .. '/')).code"
    #expect(try await run(source, ports: [free]) == ["connection"])
    #expect(try await run(source, ports: [server.port]) == ["connection"])
  }

  @Test("A request ends with the script that waits for it", .timeLimit(.minutes(1)))
  func cancelled() async throws {
    let server = try LoopbackServer { _ in [] }
    await #expect(throws: LuaError.self) {
      try await run(
        """
        local base = ...
        return moontide.all {
          function() moontide.http.get(base .. "/") end,
          function() moontide.sleep(1) error("enough") end,
        }
        """, ports: [server.port],
        sleep: { duration in
          // The timeout of the request itself never comes.
          if duration > .seconds(1) { try await Task.sleep(for: .seconds(3600)) }
          while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
        })
    }
    #expect(server.requests.count == 1)
  }

  @Test("A transport that was never used needs no end, and one that has ended asks nothing")
  func ended() async throws {
    let transport = HTTPClientTransport()
    try await transport.shutdown()
    try await transport.shutdown()
    let server = try LoopbackServer { _ in Self.answer("hello") }
    let values = try await run(
      "return select(2, pcall(moontide.http.get, ... .. '/')).code", ports: [server.port], through: transport)
    #expect(values == ["connection"])
    #expect(server.requests.isEmpty)
  }

  @Test("Answers together, in scripts that wait for many")
  func together() async throws {
    let server = try LoopbackServer { line in Self.answer(line) }
    let values = try await run(
      """
      local base, bodies = ..., {}
      for i = 1, 20 do bodies[i] = moontide.http.get(base .. "/" .. i).body end
      return #bodies, bodies[20]
      """, ports: [server.port])
    #expect(values == [20, "GET /20 HTTP/1.1"])
  }
}

/// A service that is never called.
private struct NoService: LightfieldService {
  private static let error = ServiceError(.notFound, "there is none")

  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession { throw Self.error }
  func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt {
    throw Self.error
  }
  func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession {
    throw Self.error
  }
  func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession { throw Self.error }
  func retrieve(_ id: String) async throws(ServiceError) -> FileSession { throw Self.error }
  func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList { throw Self.error }
  func url(_ id: String) async throws(ServiceError) -> DownloadURL { throw Self.error }
  func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt { throw Self.error }
  func createMeeting(_ meeting: NewMeeting, key: String?) async throws(ServiceError) -> Meeting {
    throw Self.error
  }
  func updateMeeting(_ id: String, _ change: MeetingChange, key: String?) async throws(ServiceError)
    -> Meeting
  { throw Self.error }
  func retrieveMeeting(_ id: String) async throws(ServiceError) -> Meeting { throw Self.error }
  func listMeetings(limit: Int?, offset: Int?) async throws(ServiceError) -> MeetingList { throw Self.error }
  func validateAuthorization() async throws(ServiceError) -> Authorization { throw Self.error }
}
