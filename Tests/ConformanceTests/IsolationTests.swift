import FileSessions
import LocalService
import ServiceTestSupport
import Testing

@Suite("Every service keeps apart")
struct IsolationTests {
  @Test("organisations: another's files and meetings are not there", arguments: Transport.allCases)
  func organisations(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let stranger = try await under.service(for: .stranger)
      let completed = try await service.complete([1, 2, 3]).id
      let pending = try await service.create(.text("a.md", 3), key: nil).session.id
      let meeting = try await service.createMeeting(.weekly(under), key: nil).id

      for id in [completed, pending] {
        await refusal(.notFound) { () async throws(ServiceError) in try await stranger.retrieve(id) }
        await refusal(.notFound) { () async throws(ServiceError) in try await stranger.url(id) }
        await refusal(.notFound) { () async throws(ServiceError) in try await stranger.cancel(id, key: nil) }
        await refusal(.notFound) { () async throws(ServiceError) in
          try await stranger.complete(id, md5: nil, key: nil)
        }
        await refusal(.notFound) { () async throws(ServiceError) in
          try await stranger.download(id, range: nil) { _ in }
        }
      }
      await refusal(.notFound) { () async throws(ServiceError) in
        try await stranger.retrieveMeeting(meeting)
      }
      await refusal(.notFound) { () async throws(ServiceError) in
        try await stranger.updateMeeting(meeting, MeetingChange(privacySetting: .metadata), key: nil)
      }
      #expect(try await stranger.list(limit: nil, offset: nil) == FileList(data: [], totalCount: 0))
      #expect(try await stranger.listMeetings(limit: nil, offset: nil).totalCount == 0)
      #expect(try await service.retrieve(pending).status == .pending)
    }
  }

  @Test("nobody within an organisation", arguments: Transport.allCases)
  func colleagues(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let completed = try await under.service().complete([1, 2, 3])
      for caller in [Caller.member, .workspace] {
        let colleague = try await under.service(for: caller)
        #expect(try await colleague.retrieve(completed.id) == completed)
        #expect(try await colleague.bytes(of: completed.id) == [1, 2, 3])
      }
    }
  }

  @Test("what a key may do and what it may not", arguments: Transport.allCases, Scope.allCalls)
  func scopes(over transport: Transport, call: ScopedCall) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let admin = try await under.service()
      let scene = Scene(
        pending: try await admin.create(.text("a.md", 3), key: nil).session.id,
        completed: try await admin.complete([1, 2, 3]).id,
        meeting: try await admin.createMeeting(.weekly(under), key: nil).id, under: under)
      var caller = Caller.admin
      caller.scopes = Set(Scope.known.filter { $0 != call.scope })
      let without = try await under.service(for: caller)
      await refusal(.forbidden) { () async throws(ServiceError) in try await call.perform(without, scene) }
      caller.scopes = [call.scope]
      let with = try await under.service(for: caller)
      do throws(ServiceError) {
        try await call.perform(with, scene)
      } catch {
        // An empty session cannot be completed; that is no question of scopes.
        #expect(error.kind == .unprocessableContent && call.name == "complete", "\(error)")
      }
    }
  }

  @Test("what it tells of each key", arguments: Transport.allCases)
  func authorization(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let full = try await under.service().validateAuthorization()
      #expect(full == Authorization(active: true, scopes: [], subjectType: .user))
      var narrow = Caller.workspace
      narrow.scopes = [.filesRead, .meetingsCreate]
      let told = try await under.service(for: narrow).validateAuthorization()
      #expect(told.scopes.sorted() == ["files:read", "meetings:create"])
      #expect(told.subjectType == .workspace && told.active && told.tokenType == "api_key")
    }
  }
}

/// What there is when a call is made.
struct Scene: Sendable {
  var pending: String
  var completed: String
  var meeting: String
  var under: ServiceUnderTest
}

/// A call and the scope that it needs.
struct ScopedCall: Sendable, CustomTestStringConvertible {
  typealias Perform = @Sendable (any LightfieldService, Scene) async -> ServiceError?

  var name: String
  var scope: Scope
  private var attempt: Perform
  var testDescription: String { name }

  init(
    _ name: String, _ scope: Scope,
    _ call: @escaping @Sendable (any LightfieldService, Scene) async throws -> Void
  ) {
    self.name = name
    self.scope = scope
    attempt = { service, scene in
      do {
        try await call(service, scene)
        return nil
      } catch {
        return error as? ServiceError ?? ServiceError(.unexpected, "\(error)")
      }
    }
  }

  func perform(_ service: any LightfieldService, _ scene: Scene) async throws(ServiceError) {
    if let error = await attempt(service, scene) { throw error }
  }
}

extension Scope {
  static let allCalls = [
    ScopedCall("create", .filesCreate) { service, _ in
      _ = try await service.create(.text("b.md", 1), key: nil)
    },
    ScopedCall("complete", .filesCreate) { _ = try await $0.complete($1.pending, md5: nil, key: nil) },
    ScopedCall("cancel", .filesCreate) { _ = try await $0.cancel($1.pending, key: nil) },
    ScopedCall("retrieve", .filesRead) { _ = try await $0.retrieve($1.completed) },
    ScopedCall("list", .filesRead) { service, _ in _ = try await service.list(limit: nil, offset: nil) },
    ScopedCall("url", .filesRead) { _ = try await $0.url($1.completed) },
    ScopedCall("download", .filesRead) { _ = try await $0.download($1.completed, range: nil) { _ in } },
    ScopedCall("create a meeting", .meetingsCreate) {
      _ = try await $0.createMeeting(.weekly($1.under), key: nil)
    },
    ScopedCall("update a meeting", .meetingsUpdate) {
      _ = try await $0.updateMeeting($1.meeting, MeetingChange(privacySetting: .metadata), key: nil)
    },
    ScopedCall("retrieve a meeting", .meetingsRead) { _ = try await $0.retrieveMeeting($1.meeting) },
    ScopedCall("list meetings", .meetingsRead) { service, _ in
      _ = try await service.listMeetings(limit: nil, offset: nil)
    },
  ]
}
