import FileSessions
import Foundation
import Synchronization
import Testing

/// A service that has meetings, and counts how often it is asked.
private final class Meetings: MeetingService {
  struct State: Sendable {
    var meetings: [Meeting] = []
    var pages = 0
    var error: ServiceError?
    var hold: (@Sendable () async -> Void)?
  }

  let state = Mutex(State())

  func createMeeting(_ meeting: NewMeeting, key: String?) async throws(ServiceError) -> Meeting {
    throw ServiceError(.notFound, "")
  }
  func updateMeeting(_ id: String, _ change: MeetingChange, key: String?) async throws(ServiceError)
    -> Meeting
  {
    throw ServiceError(.notFound, "")
  }
  func retrieveMeeting(_ id: String) async throws(ServiceError) -> Meeting {
    throw ServiceError(.notFound, "")
  }

  func listMeetings(limit: Int?, offset: Int?) async throws(ServiceError) -> MeetingList {
    await state.withLock({ $0.hold })?()
    if Task.isCancelled { throw ServiceError(.unreachable, "cancelled", shouldRetry: false) }
    return try state.withLock { state throws(ServiceError) in
      state.pages += 1
      if let error = state.error { throw error }
      let page = state.meetings.dropFirst(offset ?? 0).prefix(limit ?? 25)
      return MeetingList(data: Array(page), totalCount: state.meetings.count)
    }
  }
}

private func meeting(_ id: String, _ title: String, start: Int64, created: Int64 = 0) -> Meeting {
  Meeting(
    id: id, createdAt: Timestamp(milliseconds: created), updatedAt: nil, httpLink: nil, accessLevel: .full,
    fields: [
      "$title": .init(value: .string(title), valueType: "TEXT"),
      "$startDate": .init(
        value: .string(Timestamp(milliseconds: start).description), valueType: "DATETIME"),
    ], relationships: [:])
}

@Suite("Finding meetings")
final class MeetingFinderTests: Sendable {
  private let service = Meetings()
  private let now = Mutex(Timestamp(milliseconds: 1_775_646_000_000))

  private var pages: Int { service.state.withLock { $0.pages } }

  private func finder() -> MeetingFinder {
    MeetingFinder(service, clock: WallClock { [self] in now.withLock { $0 } })
  }

  @Test("of several the one that began first is taken, then the one recorded first, then by id")
  func ties() async throws {
    let all = [
      meeting("d", "a", start: 2, created: 0), meeting("c", "a", start: 1, created: 9),
      meeting("b", "a", start: 1, created: 5), meeting("a2", "a", start: 1, created: 5),
    ]
    for order in [all, all.reversed(), [all[2], all[0], all[3], all[1]]] {
      service.state.withLock { $0.meetings = order }
      let finder = finder()
      let query = MeetingQuery(title: "A", day: nil)
      #expect(try await finder.find(query, first: true)?.id == "a2")
      do {
        _ = try await finder.find(query)
        Issue.record("no error")
      } catch let error as AmbiguousMeeting {
        #expect(error.meetings.map(\.id) == ["a2", "b", "c", "d"])
      }
    }
  }

  @Test("titles are the same in composed and decomposed letters", arguments: ["Übergabe", "U\u{308}bergabe"])
  func letters(title: String) async throws {
    service.state.withLock { $0.meetings = [meeting("a", "  ÜBERGABE ", start: 0)] }
    #expect(try await finder().find(MeetingQuery(title: title, day: nil))?.id == "a")
  }

  @Test(
    "a day is that of the time zone, also where clocks change",
    arguments: [
      ("2026-03-28T23:00:00Z", "Europe/Berlin", "2026-03-29"),
      ("2026-03-29T21:59:59Z", "Europe/Berlin", "2026-03-29"),
      ("2026-03-29T22:00:00Z", "Europe/Berlin", "2026-03-30"),
      ("2026-04-08T03:59:59Z", "America/New_York", "2026-04-07"),
      ("2026-04-08T10:00:00Z", "Pacific/Auckland", "2026-04-08"),
      ("2026-04-08T12:00:00Z", "Pacific/Auckland", "2026-04-09"),
      ("2026-04-08T23:59:59.999Z", "GMT", "2026-04-08"),
      ("1969-12-31T23:59:59.999Z", "GMT", "1969-12-31"),
    ])
  func days(moment: String, zone: String, day: String) throws {
    let moment = try #require(Timestamp(moment))
    let zone = try #require(TimeZone(identifier: zone))
    #expect(CalendarDay(of: moment, in: zone).description == day)
    #expect(CalendarDay(of: moment, in: zone) == CalendarDay(day))
  }

  @Test(
    "what is no day is none",
    arguments: ["", "2026-4-8", "2026-02-29", "2026-13-01", "2026-04-08T00:00:00Z", "20260408", "2026-04-٠٨"])
  func noDays(text: String) {
    #expect(CalendarDay(text) == nil)
  }

  @Test("the listing is read to its end once, for all who ask, and again when it is old")
  func fetchedOnce() async throws {
    service.state.withLock { state in
      state.meetings = (0..<60).map { meeting("m\($0)", "t\($0)", start: 0) }
    }
    let finder = finder()
    try await withThrowingTaskGroup(of: String?.self) { group in
      for number in 0..<60 {
        group.addTask { try await finder.find(MeetingQuery(title: "t\(number)", day: nil))?.id }
      }
      let found = try await group.reduce(into: Set<String?>()) { $0.insert($1) }
      #expect(found == Set((0..<60).map { "m\($0)" }))
    }
    #expect(pages == 3)
    now.withLock { $0 = $0 + (MeetingFinder.goodFor - .milliseconds(1)) }
    _ = try await finder.find(MeetingQuery(title: "t1", day: nil))
    #expect(pages == 3)
    now.withLock { $0 = $0 + .milliseconds(1) }
    service.state.withLock { $0.meetings.append(meeting("late", "late", start: 0)) }
    #expect(try await finder.find(MeetingQuery(title: "late", day: nil))?.id == "late")
    #expect(pages == 6)
  }

  @Test("a listing that failed is fetched again")
  func failed() async throws {
    let finder = finder()
    service.state.withLock { $0.error = ServiceError(.serviceUnavailable, "away") }
    await #expect(throws: ServiceError.self) { try await finder.find(MeetingQuery(title: "a", day: nil)) }
    service.state.withLock { state in
      state.error = nil
      state.meetings = [meeting("m", "a", start: 0)]
    }
    #expect(try await finder.find(MeetingQuery(title: "a", day: nil))?.id == "m")
  }

  @Test("who is cancelled takes nobody along")
  func cancelled() async throws {
    service.state.withLock { $0.meetings = [meeting("m", "a", start: 0)] }
    let (entered, entering) = AsyncStream<Void>.makeStream()
    let (gate, opening) = AsyncStream<Void>.makeStream()
    service.state.withLock { state in
      state.hold = {
        entering.yield()
        for await _ in gate {}
      }
    }
    let finder = finder()
    let first = Task { try await finder.find(MeetingQuery(title: "a", day: nil)) }
    for await _ in entered { break }
    let second = Task { try await finder.find(MeetingQuery(title: "a", day: nil)) }
    service.state.withLock { $0.hold = nil }
    first.cancel()
    opening.finish()
    await #expect(throws: (any Error).self) { try await first.value }
    #expect(try await second.value?.id == "m")
  }

  @Test("what was noted is found before it is listed, and an older note does not hide what is listed")
  func noted() async throws {
    service.state.withLock { $0.meetings = [meeting("m", "a", start: 0)] }
    let finder = finder()
    await finder.note(meeting("n", "b", start: 0))
    #expect(try await finder.find(MeetingQuery(title: "b", day: nil))?.id == "n")
    var changed = meeting("m", "a", start: 0)
    changed.updatedAt = Timestamp(milliseconds: 10)
    await finder.note(changed)
    #expect(try await finder.find(MeetingQuery(title: "a", day: nil)) == changed)
    var newer = changed
    newer.updatedAt = Timestamp(milliseconds: 20)
    service.state.withLock { $0.meetings = [newer] }
    now.withLock { $0 = $0 + MeetingFinder.goodFor }
    #expect(try await finder.find(MeetingQuery(title: "a", day: nil)) == newer)
  }
}
