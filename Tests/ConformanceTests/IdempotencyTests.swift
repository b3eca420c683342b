import FileSessions
import LocalService
import ServiceTestSupport
import Testing

@Suite("Every service, asked again under an idempotency key")
struct IdempotencyTests {
  @Test("gives the same session once more, with a target that takes the bytes", arguments: Transport.allCases)
  func replaysCreate(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let first = try await service.create(.text("a.md", 3), key: "key-1")
      under.clock.advance(.seconds(60))
      let second = try await service.create(.text("a.md", 3), key: "key-1")
      #expect(second.session == first.session)
      _ = try await service.upload(second, BytesInMemory([1, 2, 3]))
      _ = try await service.complete(first.session.id, md5: md5([1, 2, 3]), key: nil)
      let third = try await service.create(.text("a.md", 3), key: "key-1")
      #expect(third.session.id == first.session.id)
      #expect(try await service.list(limit: nil, offset: nil).totalCount == 1)
    }
  }

  @Test("opens another session without a key, and under another one", arguments: Transport.allCases)
  func otherKeys(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      var ids: Set<String> = []
      for key in [nil, nil, "key-1", "key-2", "KEY-1"] {
        ids.insert(try await service.create(.text("a.md", 3), key: key).session.id)
      }
      #expect(ids.count == 5)
    }
  }

  @Test("completes once, and gives that answer again", arguments: Transport.allCases)
  func replaysComplete(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let opened = try await service.create(.text("a.md", 3), key: "key-1")
      _ = try await service.upload(opened, BytesInMemory([1, 2, 3]))
      // The same key for another operation is another key.
      let first = try await service.complete(opened.session.id, md5: md5([1, 2, 3]), key: "key-1")
      under.clock.advance(.seconds(60))
      #expect(try await service.complete(opened.session.id, md5: md5([1, 2, 3]), key: "key-1") == first)
      await refusal(.conflict) { () async throws(ServiceError) in
        try await service.complete(opened.session.id, md5: md5([1, 2, 3]), key: "key-2")
      }
    }
  }

  @Test("refuses another request under a key that was used", arguments: Transport.allCases)
  func otherRequest(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      _ = try await service.create(.text("a.md", 3), key: "key-1")
      for other in [NewFile.text("b.md", 3), .text("a.md", 4), .text("a.md", 3, .knowledgeUser)] {
        let error = await refusal(.badRequest) { () async throws(ServiceError) in
          try await service.create(other, key: "key-1")
        }
        #expect(error?.code == "idempotency_key_reused")
      }
      #expect(try await service.list(limit: nil, offset: nil).totalCount == 1)
    }
  }

  @Test("makes a first attempt that failed anew", arguments: Transport.allCases)
  func failures(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      await refusal(.badRequest) { () async throws(ServiceError) in
        try await service.create(.text("a.md", 0), key: "key-1")
      }
      let opened = try await service.create(.text("a.md", 3), key: "key-1")
      let id = opened.session.id
      await refusal(.unprocessableContent) { () async throws(ServiceError) in
        try await service.complete(id, md5: md5([1, 2, 3]), key: "key-2")
      }
      _ = try await service.upload(opened, BytesInMemory([1, 2, 3]))
      #expect(try await service.complete(id, md5: md5([1, 2, 3]), key: "key-2").status == .completed)
    }
  }

  @Test("takes keys of 255 characters, and no longer ones", arguments: Transport.allCases)
  func length(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let longest = String(repeating: "k", count: 255)
      let first = try await service.create(.text("a.md", 3), key: longest)
      #expect(try await service.create(.text("a.md", 3), key: longest).session == first.session)
      let error = await refusal(.badRequest) { () async throws(ServiceError) in
        try await service.create(.text("a.md", 3), key: longest + "k")
      }
      #expect(error?.code == "idempotency_key_too_long")
    }
  }

  @Test("remembers for 24 hours", arguments: Transport.allCases)
  func memory(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let first = try await service.create(.text("a.md", 3), key: "key-1")
      under.clock.advance(.seconds(24 * 60 * 60) + .milliseconds(-1))
      #expect(try await service.create(.text("a.md", 3), key: "key-1").session.id == first.session.id)
      under.clock.advance(.milliseconds(1))
      #expect(try await service.create(.text("a.md", 3), key: "key-1").session.id != first.session.id)
    }
  }

  @Test("keeps the keys of organisations apart", arguments: Transport.allCases)
  func organisations(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let first = try await under.service().create(.text("a.md", 3), key: "key-1")
      let second = try await under.service(for: .stranger).create(.text("a.md", 3), key: "key-1")
      #expect(first.session.id != second.session.id)
      let colleague = try await under.service(for: .member).create(.text("a.md", 3), key: "key-1")
      #expect(colleague.session.id == first.session.id, "a key belongs to the organisation")
    }
  }

  @Test("by many at once opens one session", arguments: Transport.allCases)
  func concurrently(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let answers = await withTaskGroup(of: Result<String, ServiceError>.self) { group in
        for _ in 0..<16 {
          group.addTask {
            do throws(ServiceError) {
              return .success(try await service.create(.text("a.md", 3), key: "key-1").session.id)
            } catch {
              return .failure(error)
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      var ids: Set<String> = []
      for answer in answers {
        switch answer {
        case .success(let id): ids.insert(id)
        case .failure(let error):
          #expect(error.kind == .idempotencyConflict)
          #expect(error.shouldRetry != false && error.kind.isTransient)
        }
      }
      #expect(ids.count == 1)
      #expect(try await service.list(limit: nil, offset: nil).totalCount == 1)
    }
  }
}
