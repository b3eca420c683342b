import FileSessions
import Synchronization

/// Hands on what calls of the service come to, to whoever wants to know.
final class CallLog: Sendable {
  private let listeners = Mutex<[@Sendable (CallRecord) -> Void]>([])

  /// Has `listener` told of every call from now on, on any thread.
  func listen(_ listener: @escaping @Sendable (CallRecord) -> Void) {
    listeners.withLock { $0.append(listener) }
  }

  func note(_ record: CallRecord) {
    for listener in listeners.withLock({ $0 }) { listener(record) }
  }
}

/// The embedded service, whose calls are noted as those of one on the network are.
struct NotedService: LightfieldService {
  let base: any LightfieldService
  let calls: CallLog

  private func noted<Value>(
    _ name: String, _ call: () async throws(ServiceError) -> Value
  ) async throws(ServiceError) -> Value {
    let begin = ContinuousClock.now
    do throws(ServiceError) {
      let value = try await call()
      calls.note(CallRecord(name: name, status: 200, duration: ContinuousClock.now - begin))
      return value
    } catch {
      calls.note(
        CallRecord(
          name: name, status: error.status, error: error.kind.rawValue, duration: ContinuousClock.now - begin)
      )
      throw error
    }
  }

  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    try await noted("POST /v1/files") { () async throws(ServiceError) in
      try await base.create(file, key: key)
    }
  }

  func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt {
    try await noted("PUT \(opened.session.id)") { () async throws(ServiceError) in
      try await base.upload(opened, source)
    }
  }

  func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession {
    try await noted("POST /v1/files/\(id)/complete") { () async throws(ServiceError) in
      try await base.complete(id, md5: md5, key: key)
    }
  }

  func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try await noted("POST /v1/files/\(id)/cancel") { () async throws(ServiceError) in
      try await base.cancel(id, key: key)
    }
  }

  func retrieve(_ id: String) async throws(ServiceError) -> FileSession {
    try await noted("GET /v1/files/\(id)") { () async throws(ServiceError) in try await base.retrieve(id) }
  }

  func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    try await noted("GET /v1/files") { () async throws(ServiceError) in
      try await base.list(limit: limit, offset: offset)
    }
  }

  func url(_ id: String) async throws(ServiceError) -> DownloadURL {
    try await noted("GET /v1/files/\(id)/url") { () async throws(ServiceError) in try await base.url(id) }
  }

  func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt {
    try await noted("GET \(id)") { () async throws(ServiceError) in
      try await base.download(id, range: range, receive: receive)
    }
  }

  func createMeeting(_ meeting: NewMeeting, key: String?) async throws(ServiceError) -> Meeting {
    try await noted("POST /v1/meetings") { () async throws(ServiceError) in
      try await base.createMeeting(meeting, key: key)
    }
  }

  func updateMeeting(
    _ id: String, _ change: MeetingChange, key: String?
  ) async throws(ServiceError) -> Meeting {
    try await noted("POST /v1/meetings/\(id)") { () async throws(ServiceError) in
      try await base.updateMeeting(id, change, key: key)
    }
  }

  func retrieveMeeting(_ id: String) async throws(ServiceError) -> Meeting {
    try await noted("GET /v1/meetings/\(id)") { () async throws(ServiceError) in
      try await base.retrieveMeeting(id)
    }
  }

  func listMeetings(limit: Int?, offset: Int?) async throws(ServiceError) -> MeetingList {
    try await noted("GET /v1/meetings") { () async throws(ServiceError) in
      try await base.listMeetings(limit: limit, offset: offset)
    }
  }

  func validateAuthorization() async throws(ServiceError) -> Authorization {
    try await noted("GET /v1/auth/validate") { () async throws(ServiceError) in
      try await base.validateAuthorization()
    }
  }
}
