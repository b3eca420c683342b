import FileSessions
import LuaHost
import LuaLibrary
import ScriptTestSupport
import Testing

@Suite struct FilesTests {
  private let surroundings: Surroundings

  init() throws {
    surroundings = try Surroundings()
    try surroundings.project.write("call.vtt", "WEBVTT\n")
  }

  @Test("The three steps one by one")
  func steps() async throws {
    let values = try await surroundings.run(
      """
      local session = moontide.files.create {
        filename = "call.vtt", mime_type = "text/vtt", size_bytes = 7, purpose = "meeting_transcript" }
      assert(session.status == "PENDING" and session.completed_at == nil)
      session:upload("call.vtt")
      local same = session:complete()
      assert(same.id == session.id and session.status == "COMPLETED")
      local url, expires_at = session:download_url()
      return session.id, session.filename, session.mime_type, session.size_bytes, session.status, session.created_at,
        session.expires_at, session.completed_at, url, expires_at, tostring(session)
      """)
    #expect(
      values == [
        "fil_1", "call.vtt", "text/vtt", 7, "COMPLETED", "2026-04-08T11:00:00.000Z", .nil,
        "2026-04-08T11:00:01.000Z",
        "file:///fil_1", "2026-04-08T11:01:00.000Z", "session(fil_1, COMPLETED)",
      ])
    #expect(surroundings.opened.items.map(\.id) == ["fil_1"])
    #expect(surroundings.service.keys == ["key-1"])
  }

  @Test("A file is uploaded in one call, with its name, type and purpose as wished")
  func upload() async throws {
    let values = try await surroundings.run(
      """
      local a = moontide.files.upload("call.vtt")
      local b = moontide.files.upload("call.vtt", { filename = "b.txt", mime_type = "text/plain", purpose = "knowledge_user" })
      return a.filename, a.mime_type, a.status, b.filename, b.mime_type, b.status, a.size_bytes
      """)
    #expect(values == ["call.vtt", "text/vtt", "COMPLETED", "b.txt", "text/plain", "COMPLETED", 7])
    #expect(surroundings.opened.items.count == 2)
  }

  @Test("A session whose bytes cannot be sent is cancelled")
  func cancelled() async throws {
    surroundings.service.failUploads(ServiceError(.unprocessableContent, "No."))
    let values = try await surroundings.run(
      "local ok, e = pcall(moontide.files.upload, 'call.vtt') return ok, e.kind, e.type, e.status, e.message")
    #expect(values == [false, "service", "unprocessable_content", 422, "No."])
    #expect(surroundings.service.sessions.map(\.status) == [.cancelled])
  }

  @Test("A cancelled script leaves no session open")
  func cancelledScript() async throws {
    let gate = Gate(2)
    surroundings.service.holdUploads {
      await gate.arrive()
      try? await Task.sleep(for: .seconds(3600))
    }
    let running = Task { try await surroundings.run("moontide.files.upload('call.vtt')") }
    await gate.arrive()
    running.cancel()
    await #expect(throws: LuaError.self) { try await running.value }
    #expect(surroundings.service.sessions.map(\.status) == [.cancelled])
  }

  @Test("Errors of the service have fields and read well")
  func errors() async throws {
    let values = try await surroundings.run(
      """
      local ok, e = pcall(moontide.files.create, { filename = "x", mime_type = "a/b", size_bytes = 1, purpose = "knowlege_user" })
      return e.kind, e.type, e.status, e.code, e.param, e.other, tostring(e)
      """)
    #expect(
      values == [
        "service", "bad_request", 400, "invalid_value", "purpose", .nil,
        "The purpose \"knowlege_user\" is not one of email_attachment, knowledge_user, knowledge_workspace, meeting_transcript. (400, invalid_value, purpose)",
      ])
  }

  @Test(
    "Misuse is said with the nearest name, or what to do",
    arguments: [
      (
        "files.create { filname = 'x' }",
        "moontide.files.create: argument #1: unknown field 'filname' (did you mean 'filename'?)"
      ),
      (
        "files.create { filename = 'x', mime_type = 'a/b' }",
        "moontide.files.create: argument #1: field 'size_bytes': integer of at least 0 wanted, got nil"
      ),
      ("files.get(7)", "moontide.files.get: argument #1: string wanted, got number 7"),
      ("files.gett('x')", "moontide.files: there is no 'gett' (did you mean 'get'?)"),
      (
        "files.list { limit = 0 }",
        "moontide.files.list: argument #1: field 'limit': integer from 1 to 2147483647 wanted, got number 0"
      ),
      (
        "files.get('fil_1'):upload('call.vtt')",
        "session:upload: only the script that opened fil_1 can send its bytes (open a session with moontide.files.create, or use moontide.files.upload)"
      ),
      (
        "files.get('fil_1'):complete('xyz')",
        "session:complete: argument #1: md5 (32 hexadecimal digits, lower case) wanted, got string \"xyz\""
      ),
      ("files.get('fil_1').file_name", "session: there is no field 'file_name' (did you mean 'filename'?)"),
      ("files.get('nope')", "There is no file nope. (404, not_found)"),
    ])
  func misuse(call: String, message: String) async throws {
    _ = try await surroundings.service.create(
      NewFile(filename: "x", mimeType: "a/b", sizeBytes: 1), key: nil)
    #expect(try await surroundings.message("local files = moontide.files local x = \(call)") == message)
  }

  @Test("Sessions are listed by pages, and each goes over all of them")
  func pages() async throws {
    for number in 0..<60 {
      _ = try await surroundings.service.create(
        NewFile(filename: "f\(number)", mimeType: "a/b", sizeBytes: 1), key: nil)
    }
    let values = try await surroundings.run(
      """
      local page = moontide.files.list { limit = 10, offset = 5 }
      local names, first = 0, nil
      for session in moontide.files.each() do
        names = names + 1
        if names == 20 then  -- pushes the sessions that follow onto the next page
          moontide.files.create { filename = "new", mime_type = "a/b", size_bytes = 1 }
        end
        first = first or session.filename
      end
      return #page, page.total_count, page[1].filename, names, first
      """)
    #expect(values == [10, 60, "f54", 60, "f59"])
  }

  @Test("A session can be refreshed and cancelled")
  func refresh() async throws {
    let values = try await surroundings.run(
      """
      local session = moontide.files.create { filename = "x", mime_type = "a/b", size_bytes = 1 }
      local other = moontide.files.get(session.id)
      other:cancel()
      local before = session.status
      session:refresh()
      return before, session.status, other.expires_at, pcall(session.cancel, session)
      """)
    #expect(values.prefix(4) == ["PENDING", "CANCELLED", .nil, false])
  }
}
