/// Finds meetings in a listing that is fetched once and asked again and again.
///
/// The API lists meetings without any filter, so that each search would read every page. The listing is fetched
/// when the first question comes, by one caller for all, and again only when it is older than ``goodFor``.
package actor MeetingFinder {
  /// How long a listing is good: longer than most runs, and short enough for one that never ends.
  package static let goodFor = Duration.seconds(15 * 60)

  private struct Listing {
    let task: Task<Result<[Meeting], ServiceError>, Never>
    let since: Timestamp
    let number: Int
  }

  private let service: any MeetingService
  private let clock: WallClock
  private var listing: Listing?
  private var fetches = 0
  /// What was made or changed here, which a listing may lag behind.
  private var noted: [String: Meeting] = [:]

  package init(_ service: any MeetingService, clock: WallClock) {
    self.service = service
    self.clock = clock
  }

  /// The meeting that `query` asks for; nil when there is none.
  ///
  /// - Parameter first: of several, gives the one that began first; of those that began together the one that was
  ///   recorded first, then the one with the smallest id. Otherwise several are an ``AmbiguousMeeting``.
  /// - Throws: also `ServiceError`, and `CancellationError`.
  package func find(_ query: MeetingQuery, first: Bool = false) async throws -> Meeting? {
    let found = try await meetings().filter(query.matches).sorted { Self.order($0) < Self.order($1) }
    guard found.count > 1, !first else { return found.first }
    throw AmbiguousMeeting(query: query, meetings: found)
  }

  /// Takes note of a meeting that was recorded or changed, so that it is found although the listing is older.
  package func note(_ meeting: Meeting) {
    noted[meeting.id] = meeting
  }

  private static func order(_ meeting: Meeting) -> (Timestamp, Timestamp, String) {
    (meeting.startDate ?? Timestamp(milliseconds: .max), meeting.createdAt, meeting.id)
  }

  /// Every meeting, as listed and noted.
  private func meetings() async throws -> [Meeting] {
    var meetings = try await listed()
    var missing = noted
    for index in meetings.indices {
      guard let note = missing.removeValue(forKey: meetings[index].id) else { continue }
      if Self.age(note) >= Self.age(meetings[index]) { meetings[index] = note }
    }
    return meetings + missing.values
  }

  private static func age(_ meeting: Meeting) -> Timestamp { meeting.updatedAt ?? meeting.createdAt }

  /// The listing that is there or under way; a failed one is forgotten.
  private func listed() async throws -> [Meeting] {
    while true {
      try Task.checkCancellation()
      let listing = current()
      let result = await withTaskCancellationHandler {
        await listing.task.value
      } onCancel: {
        listing.task.cancel()
      }
      switch result {
      case .success(let meetings): return meetings
      case .failure(let error):
        if self.listing?.number == listing.number { self.listing = nil }
        // One that somebody else cancelled is fetched anew.
        guard listing.task.isCancelled else { throw error }
      }
    }
  }

  private func current() -> Listing {
    if let listing, clock.now - listing.since < Self.goodFor { return listing }
    fetches += 1
    let task = Task { [service] in await Self.fetch(from: service) }
    let fresh = Listing(task: task, since: clock.now, number: fetches)
    listing = fresh
    return fresh
  }

  /// All pages. Meetings that are recorded meanwhile push others onto the next page: those are not taken twice.
  @concurrent private static func fetch(
    from service: any MeetingService
  ) async -> Result<[Meeting], ServiceError> {
    var meetings: [Meeting] = []
    var seen: Set<String> = []
    var offset = 0
    do throws(ServiceError) {
      while true {
        let page = try await service.listMeetings(limit: FileServiceLimits.pageSize, offset: offset)
        if page.data.isEmpty { return .success(meetings) }
        offset += page.data.count
        meetings += page.data.filter { seen.insert($0.id).inserted }
        if offset >= page.totalCount { return .success(meetings) }
      }
    } catch {
      return .failure(error)
    }
  }
}
