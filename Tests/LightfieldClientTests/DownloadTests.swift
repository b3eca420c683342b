import FileSessions
import LightfieldClient
import Testing

@Suite("A download")
struct DownloadTests {
  static let content = Array("0123456789".utf8)

  /// A store whose answer to the bytes' URL is `answer`.
  private func download(
    _ range: Range<Int64>?, receive: (@Sendable ([UInt8]) async throws -> Void)? = nil,
    answer: @escaping @Sendable (StubRequest) -> StubAnswer
  ) async throws -> (bytes: [UInt8], receipt: Receipt, requests: [StubRequest]) {
    let store = try StubServer(answer)
    let api = try StubServer { _ in .reply(200, Fixture.url(store.url + "/bytes?signature=z")) }
    let got = Noted<[UInt8]>([])
    let receipt = try await withClient(api.url) { client in
      try await client.download("fil_1", range: range) { piece in
        try await receive?(piece)
        got.change { $0 += piece }
      }
    }
    return (got.value, receipt, store.requests)
  }

  @Test("gives the bytes and their md5, and sends no key")
  func whole() async throws {
    let bytes = (0..<(3 << 20) + 5).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let result = try await download(nil) { _ in .reply(200, body: bytes) }
    #expect(
      result.bytes == bytes && result.receipt == Receipt(bytes: Int64(bytes.count), md5: md5(bytes)))
    #expect(result.requests.count == 1 && result.requests[0].target == "/bytes?signature=z")
    #expect(Set(result.requests[0].headers.map { $0.name.lowercased() }) == ["host"])
  }

  @Test(
    "gives a part, from stores that know ranges and from those that do not",
    arguments: [0..<10, 2..<5, 0..<1, 9..<10, 5..<100, 10..<20, 30..<40, 3..<3] as [Range<Int64>],
    [true, false])
  func parts(range: Range<Int64>, knowsRanges: Bool) async throws {
    let there = range.clamped(to: 0..<10)
    let expected = Array(Self.content[Int(there.lowerBound)..<Int(there.upperBound)])
    let result = try await download(range) { request in
      guard knowsRanges else { return .reply(200, body: Self.content) }
      guard request.header("range") == "bytes=\(range.lowerBound)-\(range.upperBound - 1)" else {
        return .reply(500, "")
      }
      if there.isEmpty { return .reply(416, headers: ["content-range": "bytes */10"], "") }
      let header = "bytes \(there.lowerBound)-\(there.upperBound - 1)/10"
      return .reply(206, headers: ["content-range": header], body: expected)
    }
    #expect(result.bytes == expected)
    #expect(result.receipt == Receipt(bytes: Int64(expected.count), md5: md5(expected)))
  }

  @Test(
    "refuses another part than was asked for",
    arguments: ["bytes 0-3/10", "bytes 2-9/10", "x", "bytes 5-2/10"])
  func wrongPart(header: String) async throws {
    let error = await #expect(throws: ServiceError.self) {
      try await download(2..<5) { _ in .reply(206, headers: ["content-range": header], "0123") }
    }
    #expect(error?.kind == .unexpected)
  }

  @Test("is not complete when the bytes end too soon")
  func truncated() async throws {
    for range in [nil, 0..<10] as [Range<Int64>?] {
      let error = await #expect(throws: ServiceError.self) {
        try await download(range) { _ in .raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n012345") }
      }
      #expect(error?.kind == .unreachable)
    }
    let short = await #expect(throws: ServiceError.self) {
      try await download(0..<10) { _ in
        .reply(206, headers: ["content-range": "bytes 0-9/10"], "012345")
      }
    }
    #expect(short?.kind == .unreachable)
  }

  @Test("ends with the receiver's own error")
  func receiver() async throws {
    let mine = ServiceError(.source, "disk full")
    let error = await #expect(throws: ServiceError.self) {
      try await download(nil, receive: { _ in throw mine }) { _ in .reply(200, body: Self.content) }
    }
    #expect(error == mine)
  }

  @Test("follows no redirect")
  func redirect() async throws {
    let elsewhere = try StubServer { _ in .reply(200, "x") }
    let error = await #expect(throws: ServiceError.self) {
      try await download(nil) { _ in .reply(302, headers: ["location": elsewhere.url], "") }
    }
    #expect(error?.kind == .unexpected && elsewhere.requests.isEmpty)
  }
}
