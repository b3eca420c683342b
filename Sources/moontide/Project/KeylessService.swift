import FileSessions

/// A service to which there is no key here: stands where none is asked, and refuses what asks it all the same.
struct KeylessService: LightfieldService {
  private let error: ServiceError

  /// - Parameter why: what a person is told of it.
  init(why: String) {
    error = ServiceError(.unauthorized, why)
  }

  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession { throw error }

  func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt {
    throw error
  }

  func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession {
    throw error
  }

  func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession { throw error }

  func retrieve(_ id: String) async throws(ServiceError) -> FileSession { throw error }

  func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList { throw error }

  func url(_ id: String) async throws(ServiceError) -> DownloadURL { throw error }

  func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt { throw error }

  func createMeeting(_ meeting: NewMeeting, key: String?) async throws(ServiceError) -> Meeting {
    throw error
  }

  func updateMeeting(
    _ id: String, _ change: MeetingChange, key: String?
  ) async throws(ServiceError) -> Meeting { throw error }

  func retrieveMeeting(_ id: String) async throws(ServiceError) -> Meeting { throw error }

  func listMeetings(limit: Int?, offset: Int?) async throws(ServiceError) -> MeetingList { throw error }

  func validateAuthorization() async throws(ServiceError) -> Authorization { throw error }
}
