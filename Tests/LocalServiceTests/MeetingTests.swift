import FileSessions
import Foundation
import LocalService
import Testing

@Suite("Meetings")
struct MeetingTests {
  private let bench: Bench
  private var service: LocalFileService { bench.service }

  init() async throws { bench = try await Bench() }

  /// A meeting that took place in the hour before now.
  private func meeting(_ title: String = "Kickoff", transcript: String? = nil) -> NewMeeting {
    NewMeeting(
      title: title, startDate: bench.clock.now + .seconds(-3600), endDate: bench.clock.now,
      transcript: transcript)
  }

  private func service(
    _ organisation: String, _ scopes: Set<Scope> = []
  ) -> LocalFileService {
    bench.store.service(
      for: Caller(organisation: organisation, subject: .workspace, isAdmin: true, scopes: scopes))
  }

  @Test("what was recorded comes back, each field with its type, also after the store was opened again")
  func recorded() async throws {
    let file = try await bench.complete(noise(4))
    var new = meeting(transcript: file.id)
    new.description = "Notes"
    new.meetingURL = "https://example.com/m"
    new.organizerEmail = "ada@example.com"
    new.attendeeEmails = ["ada@example.com", "bob@example.com"]
    new.privacySetting = .metadata
    let made = try await service.createMeeting(new, key: nil)
    #expect(made.id.hasPrefix("mtg_") && made.createdAt == bench.clock.now && made.updatedAt == nil)
    #expect(made.accessLevel == .full && made.httpLink == nil)
    #expect(made.title == "Kickoff" && made.startDate == new.startDate && made.endDate == new.endDate)
    let types = made.fields.mapValues(\.valueType)
    #expect(
      types == [
        "$title": "TEXT", "$startDate": "DATETIME", "$endDate": "DATETIME", "$description": "TEXT",
        "$meetingUrl": "URL", "$organizerEmail": "EMAIL", "$attendeeEmails": "EMAIL",
        "$privacySetting": "SINGLE_SELECT",
      ])
    #expect(
      made.fields["$attendeeEmails"]?.value
        == .array([.string("ada@example.com"), .string("bob@example.com")]))
    #expect(made.fields["$privacySetting"]?.value == .string("METADATA"))
    #expect(
      made.relationships == [
        "$transcript": .init(cardinality: "has_one", objectType: "file", values: [file.id])
      ])
    #expect(try await service.retrieveMeeting(made.id) == made)
    #expect(try await bench.reopen().service().retrieveMeeting(made.id) == made)
  }

  @Test("what was left out is there as null")
  func nulls() async throws {
    let made = try await service.createMeeting(meeting(), key: nil)
    #expect(made.fields["$description"]?.value == .null && made.transcript == nil)
    let json = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(made))
    guard case .object(let object) = json else { return #expect(Bool(false), "\(json)") }
    #expect(
      Set(object.keys) == [
        "id", "objectType", "createdAt", "updatedAt", "httpLink", "accessLevel", "fields", "relationships",
      ])
    #expect(object["httpLink"] == .null && object["updatedAt"] == .null)
    #expect(object["objectType"] == .string("meeting"))
  }

  @Test(
    "what cannot have taken place is a 400 that names the field",
    arguments: [
      (" ", -2, -1, "fields.$title"), ("a", 1, 2, "fields.$startDate"), ("a", -1, 1, "fields.$endDate"),
      ("a", -1, -2, "fields.$endDate"),
    ])
  func rules(title: String, start: Int, end: Int, param: String) async {
    let now = bench.clock.now
    let new = NewMeeting(title: title, startDate: now + .seconds(start), endDate: now + .seconds(end))
    let error = await refusal(.badRequest) { () async throws(ServiceError) in
      try await service.createMeeting(new, key: nil)
    }
    #expect(error?.param == param && error?.code == "invalid_value")
  }

  @Test("an address without its parts is a 400 that names it", arguments: ["", "ada", "@b", "a@", "a b@c"])
  func addresses(address: String) async {
    var new = meeting()
    new.attendeeEmails = ["ada@example.com", address]
    let error = await refusal(.badRequest) { () async throws(ServiceError) in
      try await service.createMeeting(new, key: nil)
    }
    #expect(error?.param == "fields.$attendeeEmails[1]")
    new = meeting()
    new.organizerEmail = address
    let second = await refusal(.badRequest) { () async throws(ServiceError) in
      try await service.createMeeting(new, key: nil)
    }
    #expect(second?.param == "fields.$organizerEmail")
  }

  @Test("a transcript is a completed file of the organisation, on create and on update")
  func transcripts() async throws {
    let pending = try await bench.open(noise(3)).session.id
    let foreign = try await service("org_other").create(
      NewFile(filename: "a", mimeType: "text/vtt", sizeBytes: 1), key: nil
    ).session.id
    let made = try await service.createMeeting(meeting(), key: nil)
    for (id, kind) in [
      (pending, ServiceError.Kind.unprocessableContent), (foreign, .badRequest), ("fil_none", .badRequest),
    ] {
      let new = meeting(transcript: id)
      let creating = await refusal(kind) { () async throws(ServiceError) in
        try await service.createMeeting(new, key: nil)
      }
      let updating = await refusal(kind) { () async throws(ServiceError) in
        try await service.updateMeeting(made.id, MeetingChange(transcript: id), key: nil)
      }
      #expect(creating?.param == "relationships.$transcript" && creating == updating)
    }
    #expect(try await service.listMeetings(limit: nil, offset: nil).totalCount == 1)
    #expect(try await service.retrieveMeeting(made.id) == made)
  }

  @Test("a change replaces what it names, and tells when; what changes nothing leaves the time")
  func changes() async throws {
    let files = try await [bench.complete(noise(3)), bench.complete(noise(4))]
    let made = try await service.createMeeting(meeting(transcript: files[0].id), key: nil)
    bench.clock.advance(.seconds(10))
    let replaced = try await service.updateMeeting(
      made.id, MeetingChange(transcript: files[1].id), key: nil)
    #expect(replaced.transcript == files[1].id && replaced.updatedAt == bench.clock.now)
    bench.clock.advance(.seconds(10))
    #expect(
      try await service.updateMeeting(made.id, MeetingChange(transcript: files[1].id), key: nil) == replaced)
    #expect(try await service.updateMeeting(made.id, MeetingChange(), key: nil) == replaced)
    let hidden = try await service.updateMeeting(
      made.id, MeetingChange(privacySetting: .metadata), key: nil)
    #expect(hidden.transcript == files[1].id && hidden.updatedAt == bench.clock.now)
    #expect(hidden.fields["$privacySetting"]?.value == .string("METADATA"))
    #expect(try await service.retrieveMeeting(made.id) == hidden)
  }

  @Test("one organisation never sees another's meetings")
  func isolation() async throws {
    let other = service("org_other")
    let mine = try await service.createMeeting(meeting(), key: "k")
    let theirs = try await other.createMeeting(meeting(), key: "k")
    #expect(mine.id != theirs.id)
    await refusal(.notFound) { () async throws(ServiceError) in try await other.retrieveMeeting(mine.id) }
    await refusal(.notFound) { () async throws(ServiceError) in
      try await other.updateMeeting(mine.id, MeetingChange(privacySetting: .metadata), key: nil)
    }
    #expect(try await other.listMeetings(limit: nil, offset: nil).data == [theirs])
    #expect(try await service.retrieveMeeting(mine.id) == mine)
  }

  @Test(
    "a call takes its scope",
    arguments: [Scope.meetingsCreate, .meetingsRead, .meetingsUpdate, .filesCreate, .filesRead])
  func scopes(scope: Scope) async throws {
    let made = try await service.createMeeting(meeting(), key: nil)
    let limited = service("org_local", [scope])
    func refused(_ body: () async throws(ServiceError) -> Void) async -> Bool {
      do throws(ServiceError) {
        try await body()
        return false
      } catch {
        #expect(error.kind == .forbidden, "\(error)")
        return true
      }
    }
    let new = meeting()
    #expect(
      await refused { () async throws(ServiceError) in _ = try await limited.createMeeting(new, key: nil) }
        == (scope != .meetingsCreate))
    #expect(
      await refused { () async throws(ServiceError) in _ = try await limited.retrieveMeeting(made.id) }
        == (scope != .meetingsRead))
    #expect(
      await refused { () async throws(ServiceError) in
        _ = try await limited.listMeetings(limit: nil, offset: nil)
      } == (scope != .meetingsRead))
    #expect(
      await refused { () async throws(ServiceError) in
        _ = try await limited.updateMeeting(made.id, MeetingChange(), key: nil)
      } == (scope != .meetingsUpdate))
  }

  @Test("a list is newest first, in pages of 25 at the most")
  func paging() async throws {
    var ids: [String] = []
    for number in 0..<30 {
      ids.append(try await service.createMeeting(meeting("m\(number)"), key: nil).id)
      // Some share a millisecond: the later one is still the newer one.
      if number % 3 == 0 { bench.clock.advance(.milliseconds(1)) }
    }
    ids.reverse()
    func page(_ limit: Int?, _ offset: Int?) async throws -> [String] {
      let list = try await service.listMeetings(limit: limit, offset: offset)
      #expect(list.totalCount == 30)
      return list.data.map(\.id)
    }
    #expect(try await page(nil, nil) == Array(ids[..<25]))
    #expect(try await page(1000, 25) == Array(ids[25...]))
    #expect(try await page(2, 3) == Array(ids[3..<5]))
    #expect(try await page(25, .max).isEmpty)
    let error = await refusal(.badRequest) { () async throws(ServiceError) in
      try await service.listMeetings(limit: 0, offset: nil)
    }
    #expect(error?.param == "limit")
  }

  @Test("a repeat with the same key gives the same meeting for 24 hours, and another request is a 400")
  func keys() async throws {
    let new = meeting()
    let made = try await service.createMeeting(new, key: "k")
    bench.clock.advance(.seconds(86_399))
    #expect(try await service.createMeeting(new, key: "k") == made)
    var other = new
    other.title = "Other"
    let error = await refusal(.badRequest) { () async throws(ServiceError) in
      try await service.createMeeting(other, key: "k")
    }
    #expect(error?.code == "idempotency_key_reused")
    bench.clock.advance(.seconds(1))
    #expect(try await service.createMeeting(new, key: "k").id != made.id)
    // The same key for another operation, and for the same change of another meeting.
    let change = MeetingChange(privacySetting: .metadata)
    let changed = try await service.updateMeeting(made.id, change, key: "k")
    #expect(try await service.updateMeeting(made.id, change, key: "k") == changed)
    let second = try await service.createMeeting(new, key: nil)
    await refusal(.badRequest) { () async throws(ServiceError) in
      try await service.updateMeeting(second.id, change, key: "k")
    }
  }

  @Test("a first try that failed is made again and not replayed")
  func failedFirst() async throws {
    let bytes = noise(5)
    let opened = try await bench.fill(bytes)
    let new = meeting(transcript: opened.session.id)
    await refusal(.unprocessableContent) { () async throws(ServiceError) in
      try await service.createMeeting(new, key: "k")
    }
    _ = try await service.complete(opened.session.id, md5: md5(bytes), key: nil)
    #expect(try await service.createMeeting(new, key: "k").transcript == opened.session.id)
  }
}
