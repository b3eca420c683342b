import FileSessions
import LocalService
import ServiceTestSupport
import Testing

@Suite("Every service records meetings")
struct MeetingTests {
  @Test("and gives back all that was said of one", arguments: Transport.allCases)
  func creates(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let transcript = try await service.complete([1, 2, 3], name: "call.vtt", purpose: .meetingTranscript).id
      var wish = NewMeeting.weekly(under)
      wish.description = "What there is to say: 🌙 \"quoted\"."
      wish.meetingURL = "https://example.com/m"
      wish.organizerEmail = "a@example.com"
      wish.attendeeEmails = ["a@example.com", "b@example.com"]
      wish.privacySetting = .metadata
      wish.transcript = transcript
      let meeting = try await service.createMeeting(wish, key: nil)
      #expect(meeting.id.hasPrefix("mtg_"))
      #expect(meeting.createdAt == under.clock.now)
      #expect(meeting.title == wish.title)
      #expect(meeting.startDate == wish.startDate && meeting.endDate == wish.endDate)
      #expect(meeting.fields["$description"]?.value == .string("What there is to say: 🌙 \"quoted\"."))
      #expect(meeting.fields["$meetingUrl"]?.value == .string("https://example.com/m"))
      #expect(meeting.fields["$organizerEmail"]?.value == .string("a@example.com"))
      #expect(
        meeting.fields["$attendeeEmails"]?.value
          == .array([.string("a@example.com"), .string("b@example.com")]))
      #expect(meeting.fields["$privacySetting"]?.value == .string("METADATA"))
      #expect(meeting.transcript == transcript)
      #expect(try await service.retrieveMeeting(meeting.id) == meeting)
      let list = try await service.listMeetings(limit: nil, offset: nil)
      #expect(list == MeetingList(data: [meeting], totalCount: 1))
    }
  }

  @Test("and takes another transcript, or another privacy, later", arguments: Transport.allCases)
  func updates(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let first = try await service.complete([1], name: "1.vtt", purpose: .meetingTranscript).id
      let second = try await service.complete([2], name: "2.vtt", purpose: .meetingTranscript).id
      let meeting = try await service.createMeeting(.weekly(under), key: nil)
      #expect(meeting.transcript == nil)
      under.clock.advance(.seconds(1))
      for transcript in [first, second] {
        let changed = try await service.updateMeeting(
          meeting.id, MeetingChange(transcript: transcript), key: nil)
        #expect(changed.transcript == transcript)
        #expect(try await service.retrieveMeeting(meeting.id) == changed)
      }
      let hidden = try await service.updateMeeting(
        meeting.id, MeetingChange(privacySetting: .metadata), key: nil)
      #expect(hidden.transcript == second)
      #expect(hidden.fields["$privacySetting"]?.value == .string("METADATA"))
      #expect(hidden.updatedAt.map { $0 > meeting.createdAt } ?? false)
    }
  }

  @Test(
    "with a transcript that is a completed file of the organisation, or not at all",
    arguments: Transport.allCases)
  func transcripts(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let pending = try await service.create(.text("a.vtt", 3, .meetingTranscript), key: nil).session.id
      let cancelled = try await service.cancel(
        try await service.create(.text("a.vtt", 3, .meetingTranscript), key: nil).session.id, key: nil
      ).id
      let foreign = try await under.service(for: .stranger).complete([1]).id
      let meeting = try await service.createMeeting(.weekly(under), key: nil)
      for id in [pending, cancelled, foreign, "fil_nothing", ""] {
        var wish = NewMeeting.weekly(under)
        wish.transcript = id
        for attempt in [0, 1] {
          do throws(ServiceError) {
            _ =
              attempt == 0
              ? try await service.createMeeting(wish, key: nil)
              : try await service.updateMeeting(meeting.id, MeetingChange(transcript: id), key: nil)
            Issue.record("\(id) was taken")
          } catch {
            #expect([.badRequest, .unprocessableContent].contains(error.kind), "\(id): \(error)")
          }
        }
      }
      #expect(try await service.listMeetings(limit: nil, offset: nil).totalCount == 1)
      #expect(try await service.retrieveMeeting(meeting.id) == meeting)
    }
  }

  @Test("that are over", arguments: Transport.allCases)
  func past(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let now = under.clock.now
      let times: [(start: Timestamp, end: Timestamp)] = [
        (now + .seconds(-60), now + .seconds(60)), (now + .seconds(60), now + .seconds(120)),
        (now + .seconds(-60), now + .seconds(-120)),
      ]
      for (start, end) in times {
        await refusal(.badRequest) { () async throws(ServiceError) in
          try await service.createMeeting(NewMeeting(title: "m", startDate: start, endDate: end), key: nil)
        }
      }
      #expect(try await service.listMeetings(limit: nil, offset: nil).totalCount == 0)
    }
  }

  @Test("newest first, page by page", arguments: Transport.allCases)
  func lists(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      var ids: [String] = []
      for _ in 0..<27 {
        ids.insert(try await service.createMeeting(.weekly(under), key: nil).id, at: 0)
        under.clock.advance(.milliseconds(1))
      }
      let pages: [(limit: Int?, offset: Int?, range: Range<Int>)] = [
        (nil, nil, 0..<25), (1000, nil, 0..<25), (2, 1, 1..<3), (25, 25, 25..<27), (1, 27, 27..<27),
      ]
      for (limit, offset, range) in pages {
        let page = try await service.listMeetings(limit: limit, offset: offset)
        #expect(page.data.map(\.id) == Array(ids[range]) && page.totalCount == 27)
      }
      for (limit, offset) in [(0, 0), (1, -1)] {
        await refusal(.badRequest) { () async throws(ServiceError) in
          try await service.listMeetings(limit: limit, offset: offset)
        }
      }
    }
  }

  @Test("once for each idempotency key", arguments: Transport.allCases)
  func idempotency(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let wish = NewMeeting.weekly(under)
      let first = try await service.createMeeting(wish, key: "key-1")
      #expect(try await service.createMeeting(wish, key: "key-1") == first)
      var other = wish
      other.title = "Another"
      await refusal(.badRequest) { () async throws(ServiceError) in
        try await service.createMeeting(other, key: "key-1")
      }
      let change = MeetingChange(privacySetting: .metadata)
      let changed = try await service.updateMeeting(first.id, change, key: "key-1")
      #expect(try await service.updateMeeting(first.id, change, key: "key-1") == changed)
      #expect(try await service.listMeetings(limit: nil, offset: nil).totalCount == 1)
    }
  }

  @Test("and answers 404 for one that nobody recorded", arguments: Transport.allCases)
  func unknown(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      await refusal(.notFound) { () async throws(ServiceError) in
        try await service.retrieveMeeting("mtg_nothing")
      }
      await refusal(.notFound) { () async throws(ServiceError) in
        try await service.updateMeeting("mtg_nothing", MeetingChange(privacySetting: .full), key: nil)
      }
    }
  }
}
