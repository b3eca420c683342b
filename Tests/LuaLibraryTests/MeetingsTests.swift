import FileSessions
import LuaHost
import LuaLibrary
import ScriptTestSupport
import Testing

@Suite struct MeetingsTests {
  private let surroundings: Surroundings

  init() throws { surroundings = try Surroundings() }

  private var service: FakeService { surroundings.service }

  private func run(_ source: String, permissions: Permissions = .project) async throws -> [LuaValue] {
    try await surroundings.run(source, permissions: permissions)
  }

  private func error(_ source: String, permissions: Permissions = .project) async throws -> LuaError? {
    try await scriptFailure(source, surroundings.context(permissions: permissions))
  }

  @Test("A meeting is recorded and looked at; its fields are the API's in snake_case")
  func record() async throws {
    let values = try await run(
      """
      local made = moontide.meetings.create {
        title = "Kickoff", start_date = "2026-04-08T13:00:00+02:00", end_date = 1775649600,
        description = "d", attendee_emails = { "a@b", "c@d" }, privacy_setting = "METADATA", transcript = "fil_1",
      }
      local m = moontide.meetings.get(made.id)
      return m.id, m.title, m.start_date, m.end_date, m.description, m.attendee_emails[2], m.privacy_setting,
        m.transcript, m.access_level, m.meeting_url, m.updated_at, m.fields["$title"], tostring(m)
      """)
    #expect(
      values == [
        "mtg_1", "Kickoff", "2026-04-08T11:00:00.000Z", "2026-04-08T12:00:00.000Z", "d", "c@d", "METADATA",
        "fil_1", "FULL", .nil, .nil, "Kickoff", "meeting(mtg_1, Kickoff)",
      ])
  }

  @Test("A transcript is attached to a meeting, each named by its id or given itself")
  func attach() async throws {
    let values = try await run(
      """
      local create = moontide.meetings.create
      local m = create { title = "a", start_date = 0, end_date = 1 }
      local session = moontide.files.create { filename = "a.vtt", mime_type = "text/vtt", size_bytes = 1 }
      local one = moontide.meetings.attach_transcript(m, session)
      local two = moontide.meetings.attach_transcript(m.id, "fil_9")
      return one.transcript == session.id, two.transcript, m.transcript
      """)
    #expect(values == [true, "fil_9", .nil])
  }

  @Test("Outside of a handler each call has a key of its own")
  func keys() async throws {
    _ = try await run(
      """
      for _ = 1, 2 do
        local m = moontide.meetings.create { title = "a", start_date = 0, end_date = 1 }
        moontide.meetings.attach_transcript(m, "fil_1")
      end
      """)
    #expect(service.meetings.withLock { $0.keys } == ["key-1", "key-2", "key-3", "key-4"])
    #expect(service.meetings.withLock { $0.meetings.count } == 2)
  }

  @Test("Pages and an iterator over all of them")
  func pages() async throws {
    let values = try await run(
      """
      for i = 1, 60 do moontide.meetings.create { title = "m" .. i, start_date = 0, end_date = 1 } end
      local n, last = 0
      for meeting in moontide.meetings.each() do n, last = n + 1, meeting.title end
      local page = moontide.meetings.list { limit = 2, offset = 1 }
      return n, last, #page, page.total_count, page[1].title
      """)
    #expect(values == [60, "m1", 2, 60, "m59"])
  }

  private static let three = """
    local create = moontide.meetings.create
    -- In Berlin the first is on the 9th; the two others have the same title.
    create { title = "Late Call", start_date = "2026-04-08T22:30:00Z", end_date = "2026-04-08T23:00:00Z" }
    create { title = "Weekly  Sync", start_date = "2026-04-08T12:00:00Z", end_date = "2026-04-08T13:00:00Z" }
    create { title = "weekly sync", start_date = "2026-04-08T09:00:00Z", end_date = "2026-04-08T10:00:00Z" }

    """

  @Test(
    "A meeting is found by day in a time zone, by title, or by both",
    arguments: [
      ("{ title = ' LATE call ' }", LuaValue.string("mtg_1")),
      ("{ title = 'Late' }", .nil),
      ("{ day = '2026-04-08', title = 'late call' }", "mtg_1"),
      ("{ day = '2026-04-08', time_zone = 'Europe/Berlin', title = 'late call' }", .nil),
      ("{ day = '2026-04-09', time_zone = 'Europe/Berlin' }", "mtg_1"),
      ("{ day = 1775687400, time_zone = 'Europe/Berlin' }", "mtg_1"),
      ("{ day = '2026-04-07' }", .nil),
      ("{ title = 'weekly sync', first = true }", "mtg_3"),
      ("{ day = '2026-04-08', first = true }", "mtg_3"),
    ])
  func find(query: String, found: LuaValue) async throws {
    let values = try await run(
      Self.three + "local m = moontide.meetings.find \(query) return m and m.id")
    #expect(values == [found])
  }

  @Test("Several that match are an error that names them, in the order in which they would be taken")
  func ambiguous() async throws {
    let values = try await run(
      Self.three + """
        local ok, err = pcall(moontide.meetings.find, { title = "weekly sync", day = "2026-04-08" })
        return ok, err.kind, err.code, err.meetings[1], err.meetings[2], #err.meetings, err.message
        """)
    #expect(
      values == [
        false, "meeting", "ambiguous", "mtg_3", "mtg_2", 2,
        "2 meetings match \"weekly sync\" on 2026-04-08 (UTC): mtg_3, mtg_2; narrow it down, or say first = true",
      ])
  }

  @Test("The listing is fetched once, and what was recorded since is found all the same")
  func once() async throws {
    let values = try await run(
      """
      for i = 1, 30 do moontide.meetings.create { title = "m" .. i, start_date = 0, end_date = 1 } end
      local find = moontide.meetings.find
      local a, b = moontide.all {
        function() return find { title = "m1" } end, function() return find { title = "m30" } end }
      local new = moontide.meetings.create { title = "new", start_date = 0, end_date = 1 }
      moontide.meetings.attach_transcript(a, "fil_7")
      return a.id, b.id, find { title = "new" }.id == new.id, find { title = "m1" }.transcript
      """)
    #expect(values == ["mtg_1", "mtg_30", true, "fil_7"])
    #expect(service.meetings.withLock { $0.lists } == 2)
  }

  @Test(
    "What cannot be is an error that says where",
    arguments: [
      ("meetings.create { title = 'a', start_date = 0 }", "field 'end_date': ISO 8601 time"),
      ("meetings.create { title = 'a', start_date = 'x', end_date = 1 }", "field 'start_date'"),
      ("meetings.create { title = 'a', start_date = 0, end_date = 1, titel = 'b' }", "did you mean 'title'?"),
      ("meetings.create { title = 'a', start_date = 0, end_date = 1, privacy_setting = 'x' }", "METADATA"),
      (
        "meetings.create({ title = 'a', start_date = 0, end_date = 1 }, { lable = 'x' })",
        "did you mean 'label'?"
      ),
      ("meetings.find {}", "nothing to find a meeting by"),
      ("meetings.find { day = '2026-02-30' }", "field 'day'"),
      ("meetings.find { day = '2026-04-08', time_zone = 'Mars/North' }", "field 'time_zone'"),
      ("meetings.attach_transcript(1, 'fil_1')", "argument #1"),
      ("meetings.attach_transcript('mtg_1')", "argument #2"),
      ("meetings.get('mtg_0')", "There is no meeting mtg_0."),
    ])
  func mistakes(call: String, problem: String) async throws {
    let error = try await error("moontide.\(call)")
    #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
  }

  @Test(
    "Each call takes its scope, before anything is asked",
    arguments: [
      ("meetings.get('a')", "meetings:read"), ("meetings.list()", "meetings:read"),
      ("meetings.find { title = 'a' }", "meetings:read"), ("meetings.each()()", "meetings:read"),
      ("meetings.create { title = 'a', start_date = 0, end_date = 1 }", "meetings:create"),
      ("meetings.attach_transcript('a', 'b')", "meetings:update"),
    ])
  func permissions(call: String, scope: String) async throws {
    let error = try await error("moontide.\(call)", permissions: .recipe)
    let denied = error?.underlying as? PermissionError
    #expect(denied?.access == .service(scope: scope), "\(String(describing: error))")
    #expect(service.meetings.withLock { $0.lists + $0.keys.count } == 0)
  }
}
