/// A service whose calls are tried again as a ``RetryPolicy`` says, for callers that keep no record of their own.
package struct RetryingService: LightfieldService {
  private let base: any LightfieldService
  private let retry: Retrier
  private let pace: @Sendable (any ByteSource) -> any ByteSource

  /// - Parameter pace: gives the source that is sent instead of another.
  package init(
    _ base: any LightfieldService, retry: Retrier,
    pace: @escaping @Sendable (any ByteSource) -> any ByteSource = { $0 }
  ) {
    self.base = base
    self.retry = retry
    self.pace = pace
  }

  package func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    try await retry { () async throws(ServiceError) in try await base.create(file, key: key) }
  }

  package func upload(
    _ opened: OpenedSession, _ source: any ByteSource
  ) async throws(ServiceError) -> Receipt {
    let source = pace(source)
    return try await retry { () async throws(ServiceError) in try await base.upload(opened, source) }
  }

  package func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession
  {
    try await retry { () async throws(ServiceError) in try await base.complete(id, md5: md5, key: key) }
  }

  package func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try await retry { () async throws(ServiceError) in try await base.cancel(id, key: key) }
  }

  package func retrieve(_ id: String) async throws(ServiceError) -> FileSession {
    try await retry { () async throws(ServiceError) in try await base.retrieve(id) }
  }

  package func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    try await retry { () async throws(ServiceError) in try await base.list(limit: limit, offset: offset) }
  }

  package func url(_ id: String) async throws(ServiceError) -> DownloadURL {
    try await retry { () async throws(ServiceError) in try await base.url(id) }
  }

  /// Not tried again: part of the bytes may already have been handed over.
  package func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt {
    try await base.download(id, range: range, receive: receive)
  }

  package func createMeeting(_ meeting: NewMeeting, key: String?) async throws(ServiceError) -> Meeting {
    try await retry { () async throws(ServiceError) in try await base.createMeeting(meeting, key: key) }
  }

  package func updateMeeting(
    _ id: String, _ change: MeetingChange, key: String?
  ) async throws(ServiceError) -> Meeting {
    try await retry { () async throws(ServiceError) in try await base.updateMeeting(id, change, key: key) }
  }

  package func retrieveMeeting(_ id: String) async throws(ServiceError) -> Meeting {
    try await retry { () async throws(ServiceError) in try await base.retrieveMeeting(id) }
  }

  package func listMeetings(limit: Int?, offset: Int?) async throws(ServiceError) -> MeetingList {
    try await retry { () async throws(ServiceError) in
      try await base.listMeetings(limit: limit, offset: offset)
    }
  }

  package func validateAuthorization() async throws(ServiceError) -> Authorization {
    try await retry { () async throws(ServiceError) in try await base.validateAuthorization() }
  }
}
