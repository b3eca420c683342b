/// A service that answers every call with the same error: for scripts that are only loaded and call none.
package struct UnavailableService: LightfieldService {
  private let error: ServiceError

  package init(_ error: ServiceError) {
    self.error = error
  }

  package func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    throw error
  }

  package func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt
  {
    throw error
  }

  package func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession
  {
    throw error
  }

  package func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession { throw error }

  package func retrieve(_ id: String) async throws(ServiceError) -> FileSession { throw error }

  package func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList { throw error }

  package func url(_ id: String) async throws(ServiceError) -> DownloadURL { throw error }

  package func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt { throw error }

  package func createMeeting(_ meeting: NewMeeting, key: String?) async throws(ServiceError) -> Meeting {
    throw error
  }

  package func updateMeeting(
    _ id: String, _ change: MeetingChange, key: String?
  ) async throws(ServiceError) -> Meeting { throw error }

  package func retrieveMeeting(_ id: String) async throws(ServiceError) -> Meeting { throw error }

  package func listMeetings(limit: Int?, offset: Int?) async throws(ServiceError) -> MeetingList {
    throw error
  }

  package func validateAuthorization() async throws(ServiceError) -> Authorization { throw error }
}
