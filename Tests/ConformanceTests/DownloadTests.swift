import FileSessions
import LocalService
import ServiceTestSupport
import Testing

@Suite("Every service gives bytes back")
struct DownloadTests {
  @Test("whole, and any part of them, cut to what is there", arguments: Transport.allCases)
  func ranges(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let bytes = noise(2_500_000)
      let id = try await service.complete(bytes).id
      #expect(try await service.bytes(of: id) == bytes)
      let ranges: [Range<Int64>] = [
        0..<1, 0..<2_500_000, 1..<2_499_999, 2_499_999..<2_500_000, 1_048_575..<1_048_577, 0..<9_999_999,
        2_000_000..<9_999_999,
      ]
      for range in ranges {
        let expected = bytes[Int(range.lowerBound)..<min(bytes.count, Int(range.upperBound))]
        #expect(try await service.bytes(of: id, range: range) == Array(expected), "\(range)")
      }
      for range in [5..<5, 2_500_000..<2_500_001, 3_000_000..<4_000_000] as [Range<Int64>] {
        #expect(try await service.bytes(of: id, range: range) == [], "\(range)")
      }
    }
  }

  @Test("in pieces of a mebibyte at the most, in order", arguments: Transport.allCases)
  func pieces(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let id = try await service.complete(noise(3_000_000)).id
      let collected = Collected()
      _ = try await service.download(id, range: nil, receive: collected.receive)
      #expect(collected.sizes.allSatisfy { (1...(1 << 20)).contains($0) })
    }
  }

  @Test("until the receiver has had enough", arguments: Transport.allCases)
  func stopped(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let id = try await service.complete(noise(3_000_000)).id
      let error = await refusal(.source, or: .unexpected) { () async throws(ServiceError) in
        try await service.download(id, range: nil) { _ in throw Enough() }
      }
      #expect(error?.kind.isTransient == false)
      #expect(try await service.bytes(of: id).count == 3_000_000, "the service goes on")
    }
  }

  private struct Enough: Error {}

  @Test("from a place that is named for a while", arguments: Transport.allCases)
  func url(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let id = try await service.complete([1, 2, 3]).id
      let place = try await service.url(id)
      #expect(place.expiresAt > under.clock.now)
      #expect(place.url.hasPrefix(transport.urlScheme + "://"))
    }
  }
}
