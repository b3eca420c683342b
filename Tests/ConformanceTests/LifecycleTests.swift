import FileSessions
import LocalService
import ServiceTestSupport
import Testing

@Suite("Every service leads a file")
struct LifecycleTests {
  @Test("from PENDING to COMPLETED, and tells the same of it ever after", arguments: Transport.allCases)
  func completes(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let bytes = noise(100_000)
      let opened = try await service.create(.text("notes.md", bytes.count), key: nil)
      let begin = under.clock.now
      #expect(
        opened.session
          == FileSession(
            id: opened.session.id, filename: "notes.md", mimeType: "text/plain", sizeBytes: 100_000,
            status: .pending, createdAt: begin, expiresAt: begin + .seconds(3600), completedAt: nil))
      #expect(opened.session.id.hasPrefix("fil_"))
      #expect(try await service.retrieve(opened.session.id) == opened.session)

      under.clock.advance(.seconds(7))
      let receipt = try await service.upload(opened, BytesInMemory(bytes))
      #expect(receipt == Receipt(bytes: 100_000, md5: md5(bytes)))
      #expect(try await service.retrieve(opened.session.id) == opened.session)

      let completed = try await service.complete(opened.session.id, md5: receipt.md5, key: nil)
      var expected = opened.session
      expected.status = .completed
      expected.expiresAt = nil
      expected.completedAt = under.clock.now
      #expect(completed == expected)
      under.clock.advance(.seconds(100_000))
      #expect(try await service.retrieve(opened.session.id) == expected)
      #expect(try await service.list(limit: nil, offset: nil) == FileList(data: [expected], totalCount: 1))
      #expect(try await service.bytes(of: completed.id) == bytes)
    }
  }

  @Test("to CANCELLED", arguments: Transport.allCases)
  func cancels(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let opened = try await service.create(.text("a.md", 3), key: nil)
      let cancelled = try await service.cancel(opened.session.id, key: nil)
      var expected = opened.session
      expected.status = .cancelled
      expected.expiresAt = nil
      #expect(cancelled == expected)
      #expect(try await service.retrieve(opened.session.id) == expected)
    }
  }

  @Test("to EXPIRED at the very millisecond of expiresAt", arguments: Transport.allCases)
  func expires(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let opened = try await service.create(.text("a.md", 3), key: nil)
      let expiry = try #require(opened.session.expiresAt)
      under.clock.advance(expiry - under.clock.now + .milliseconds(-1))
      #expect(try await service.retrieve(opened.session.id).status == .pending)
      under.clock.advance(.milliseconds(1))
      let expired = try await service.retrieve(opened.session.id)
      #expect(expired.status == .expired && expired.expiresAt == nil && expired.completedAt == nil)
      #expect(try await service.list(limit: nil, offset: nil).data == [expired])
    }
  }

  @Test("with bytes sent as often as it takes while it is PENDING", arguments: Transport.allCases)
  func sendsAgain(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let opened = try await service.create(.text("a.md", 3), key: nil)
      _ = try await service.upload(opened, BytesInMemory(Array("abc".utf8)))
      _ = try await service.upload(opened, BytesInMemory(Array("xyz".utf8)))
      await refusal(.unprocessableContent) { () async throws(ServiceError) in
        try await service.complete(opened.session.id, md5: md5(Array("abc".utf8)), key: nil)
      }
      _ = try await service.complete(opened.session.id, md5: md5(Array("xyz".utf8)), key: nil)
      #expect(try await service.bytes(of: opened.session.id) == Array("xyz".utf8))
    }
  }

  @Test(
    "of one byte, of a piece's length and one to either side", arguments: Transport.allCases,
    [
      1, 1 << 20 - 1, 1 << 20, 1 << 20 + 1, 5_000_000,
    ])
  func carries(over transport: Transport, size: Int) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let bytes = noise(size, seed: UInt64(size))
      let completed = try await service.complete(bytes)
      #expect(try await service.bytes(of: completed.id) == bytes)
    }
  }
}
