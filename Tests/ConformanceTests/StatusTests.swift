import FileSessions
import LocalService
import ServiceTestSupport
import Testing

@Suite("Every service, by a session's status")
struct StatusTests {
  enum Call: CaseIterable, Sendable {
    case upload, complete, cancel, retrieve, url, download
  }

  /// What a call of a session ends in.
  enum End: Hashable, Sendable {
    case success
    case refusal(ServiceError.Kind)
  }

  /// By the contract's table; a session that is PENDING has no bytes yet.
  static func ends(of call: Call, in status: FileStatus) -> Set<End> {
    switch (status, call) {
    case (_, .retrieve): [.success]
    case (.pending, .upload), (.pending, .cancel): [.success]
    case (.pending, .complete): [.refusal(.unprocessableContent)]
    case (.completed, .url), (.completed, .download): [.success]
    // The upload URL runs out with its session, and then says so itself.
    case (.expired, .upload): [.refusal(.conflict), .refusal(.uploadRefused)]
    default: [.refusal(.conflict)]
    }
  }

  @Test("answers every call as the contract says", arguments: Transport.allCases, FileStatus.allCases)
  func answers(over transport: Transport, status: FileStatus) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      for call in Call.allCases {
        let opened = try await bring(under, service, to: status)
        let end = await Self.end(of: call, opened, service)
        #expect(Self.ends(of: call, in: status).contains(end), "\(call) of \(status): \(end)")
        if end != .success {
          #expect(try await service.retrieve(opened.session.id).status == status, "after \(call)")
        }
      }
    }
  }

  @Test("never tries to be called again for a conflict that is final", arguments: Transport.allCases)
  func finalConflict(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let completed = try await service.complete([1, 2, 3])
      let error = await refusal(.conflict) { () async throws(ServiceError) in
        try await service.cancel(completed.id, key: nil)
      }
      #expect(error?.shouldRetry == false)
    }
  }

  @Test(
    "answers 404 for a session that nobody opened", arguments: Transport.allCases,
    [
      "fil_nothing", "fil_", "x", "fil_%2F..", "../files", "fil_ä🌙", "a b",
    ])
  func unknown(over transport: Transport, id: String) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      await refusal(.notFound) { () async throws(ServiceError) in try await service.retrieve(id) }
      await refusal(.notFound) { () async throws(ServiceError) in try await service.url(id) }
      await refusal(.notFound) { () async throws(ServiceError) in try await service.cancel(id, key: nil) }
      await refusal(.notFound) { () async throws(ServiceError) in
        try await service.complete(id, md5: nil, key: nil)
      }
    }
  }

  private func bring(
    _ under: ServiceUnderTest, _ service: any LightfieldService, to status: FileStatus
  ) async throws -> OpenedSession {
    let bytes = Array("abc".utf8)
    let opened = try await service.create(.text("a.md", 3), key: nil)
    switch status {
    case .pending: break
    case .completed:
      _ = try await service.upload(opened, BytesInMemory(bytes))
      _ = try await service.complete(opened.session.id, md5: nil, key: nil)
    case .cancelled: _ = try await service.cancel(opened.session.id, key: nil)
    case .expired: under.clock.advance(.seconds(3600))
    }
    return opened
  }

  private static func end(
    of call: Call, _ opened: OpenedSession, _ service: any LightfieldService
  ) async -> End {
    let id = opened.session.id
    do throws(ServiceError) {
      switch call {
      case .upload: _ = try await service.upload(opened, BytesInMemory(Array("abc".utf8)))
      case .complete: _ = try await service.complete(id, md5: nil, key: nil)
      case .cancel: _ = try await service.cancel(id, key: nil)
      case .retrieve: _ = try await service.retrieve(id)
      case .url: _ = try await service.url(id)
      case .download: _ = try await service.download(id, range: nil) { _ in }
      }
      return .success
    } catch {
      return .refusal(error.kind)
    }
  }
}
