import FileSessions
import LightfieldClient
import Synchronization
import Testing

/// A source that is not what it said, or does something when it is read.
struct OddSource: ByteSource {
  var length: Int64
  var actual: Int64
  var failsAt: Int64 = .max
  var onRead: @Sendable (Int64) -> Void = { _ in }
  /// How many bytes may be sent at once; told each time.
  var admit: @Sendable (Int) async throws -> Int = { $0 }

  struct Broken: Error {}

  func admitted(_ count: Int) async throws -> Int { try await admit(count) }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
    onRead(offset)
    if offset >= failsAt { throw Broken() }
    let count = max(0, min(Int64(buffer.count), actual - offset))
    for index in 0..<Int(count) { buffer[index] = UInt8(truncatingIfNeeded: offset + Int64(index)) }
    return Int(count)
  }
}

@Suite("An upload")
struct UploadTests {
  private func failure(
    _ client: LightfieldClient, _ opened: OpenedSession, _ source: any ByteSource
  ) async throws -> ServiceError {
    try #require(await #expect(throws: ServiceError.self) { try await client.upload(opened, source) })
  }

  @Test("sends exactly the bytes and the headers, and no key", arguments: [0, 1, 5, 1 << 20, (3 << 20) + 17])
  func exact(size: Int) async throws {
    let server = try StubServer { _ in .reply(200, "") }
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let headers = ["content-type": "text/vtt", "if-none-match": "*", "x-goog-meta": "a b"]
    let receipt = try await withClient("https://api.test") { client in
      try await client.upload(
        Fixture.opened(server.url + "/b%2Fc?X-Signature=a%2Bb%3D&y=1", size: Int64(size), headers: headers),
        BytesInMemory(bytes))
    }
    #expect(receipt == Receipt(bytes: Int64(size), md5: md5(bytes)))
    let request = try #require(server.requests.first)
    #expect(request.method == "PUT" && request.target == "/b%2Fc?X-Signature=a%2Bb%3D&y=1")
    #expect(request.body == bytes)
    let names = Set(request.headers.map { $0.name.lowercased() })
    #expect(names == ["host", "content-type", "if-none-match", "x-goog-meta", "content-length"])
    #expect(request.header("content-type") == "text/vtt" && request.header("content-length") == "\(size)")
  }

  @Test("asks the source before each piece how much may leave, and sends all of it")
  func admitted() async throws {
    let server = try StubServer { _ in .reply(200, "") }
    let asked = Mutex<[Int]>([])
    let receipt = try await withClient("https://api.test") { client in
      try await client.upload(
        Fixture.opened(server.url + "/b", size: 300_000),
        OddSource(
          length: 300_000, actual: 300_000,
          admit: { count in
            asked.withLock { $0.append(count) }
            return min(count, 70_000)
          }))
    }
    #expect(receipt.bytes == 300_000 && server.requests.first?.body.count == 300_000)
    #expect(asked.withLock { $0 } == [256 << 10, 230_000, 160_000, 90_000, 20_000])
  }

  @Test("one that is cancelled while it waits until bytes may leave ends", .timeLimit(.minutes(1)))
  func cancelledWaiting() async throws {
    let server = try StubServer { _ in .reply(200, "") }
    let (isAsked, ask) = AsyncStream.makeStream(of: Void.self)
    try await withClient("https://api.test") { client in
      let source = OddSource(
        length: 5, actual: 5,
        admit: { count in
          ask.finish()
          try await Task.sleep(for: .seconds(3600))
          return count
        })
      let opened = Fixture.opened(server.url + "/b")
      let upload = Task { try await client.upload(opened, source) }
      for await _ in isAsked {}
      upload.cancel()
      await #expect(throws: ServiceError.self) { try await upload.value }
    }
  }

  @Test(
    "knows what the storage means",
    arguments: [
      (412, "", .objectExists), (404, "", .notFound), (409, "", .conflict), (413, "", .tooLarge),
      (403, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", .uploadRefused),
      (400, "<Error><Code>ExpiredToken</Code></Error>", .uploadRefused),
      (400, "<Error><Code>RequestTimeout</Code></Error>", .requestTimeout),
      (400, "<Error><Code>BadDigest</Code></Error>", .unexpected),
      (429, "", .tooManyRequests), (500, "", .internalServerError), (503, "SlowDown", .serviceUnavailable),
      (307, "", .unexpected),
    ] as [(Int, String, ServiceError.Kind)])
  func answers(status: Int, body: String, kind: ServiceError.Kind) async throws {
    let elsewhere = try StubServer { _ in .reply(200, "") }
    let server = try StubServer { _ in
      .reply(status, headers: ["location": elsewhere.url + "/x", "retry-after": "3"], body)
    }
    let error = try await withClient("https://api.test") { client in
      try await failure(client, Fixture.opened(server.url), BytesInMemory(Array("hello".utf8)))
    }
    #expect(error.kind == kind && error.status == status && error.retryAfter == .seconds(3), "\(error)")
    #expect(elsewhere.requests.isEmpty, "a redirect is not followed")
    #expect((status == 307) == error.message.contains("redirects are refused"), "\(error)")
  }

  @Test("understands a refusal that comes before the bytes were sent")
  func early() async throws {
    let server = try StubServer(early: { _ in .reply(403, "no") }) { _ in .silence }
    let size: Int64 = 64 << 20
    let read = Noted<Int64>(0)
    let source = OddSource(length: size, actual: size) { offset in read.change { $0 = max($0, offset) } }
    let error = try await withClient("https://api.test") { client in
      try await failure(client, Fixture.opened(server.url, size: size), source)
    }
    #expect(error.kind == .uploadRefused)
    #expect(read.value < size - 1, "the rest is not read")
  }

  @Test("takes no early success for a sent file")
  func earlySuccess() async throws {
    let server = try StubServer(early: { _ in .reply(200, "") }) { _ in .silence }
    let size: Int64 = 64 << 20
    let error = try await withClient("https://api.test") { client in
      try await failure(
        client, Fixture.opened(server.url, size: size), OddSource(length: size, actual: size))
    }
    #expect(error.kind == .unexpected && error.status == 200, "\(error)")
  }

  @Test("never takes a file that became shorter, longer or unreadable for a good one")
  func changing() async throws {
    let server = try StubServer { _ in .reply(200, "") }
    try await withClient("https://api.test") { client in
      let size: Int64 = 2 << 20
      let sources = [
        OddSource(length: size, actual: size - 1), OddSource(length: size, actual: size + 1),
        OddSource(length: size, actual: size, failsAt: 1 << 20),
      ]
      for source in sources {
        let error = try await failure(client, Fixture.opened(server.url, size: size), source)
        #expect(error.kind == .source, "\(error)")
      }
    }
    #expect(server.requests.isEmpty, "none of them arrived whole")
  }

  @Test(
    "goes to https, or to this machine, and to no URL with credentials",
    arguments: ["http://store.test/x", "https://u:p@store.test/x", "file:///etc/passwd", "nonsense", ""])
  func refusedURLs(url: String) async throws {
    try await withClient("https://api.test") { client in
      let error = try await failure(client, Fixture.opened(url), BytesInMemory([1]))
      #expect(error.kind == .unexpected && error.shouldRetry == false)
    }
  }

  @Test("is unreachable when the connection breaks before, during or after the bytes")
  func broken() async throws {
    let size: Int64 = 4 << 20
    let source = OddSource(length: size, actual: size)
    for server in [
      try StubServer(early: { _ in .reset }) { _ in .silence }, try StubServer { _ in .reset },
      try StubServer { _ in .raw("HTTP/1.1 200") },
    ] {
      let error = try await withClient("https://api.test") { client in
        try await failure(client, Fixture.opened(server.url, size: size), source)
      }
      #expect(error.kind == .unreachable, "\(error)")
    }
  }

  @Test("is given up when the other side takes no bytes any more")
  func stalled() async throws {
    // A listener whose connections nobody accepts: the kernel takes what fits its buffers, and then nothing.
    let deaf = try DeafListener()
    let size: Int64 = 256 << 20
    let error = try await withClient("https://api.test", { $0.stallTimeout = .milliseconds(300) }) { client in
      try await failure(
        client, Fixture.opened("http://127.0.0.1:\(deaf.port)", size: size),
        OddSource(length: size, actual: size))
    }
    #expect(error.kind == .unreachable && error.message.contains("took no bytes"), "\(error)")
  }

  @Test("ends soon when its task is cancelled in the middle")
  func cancelled() async throws {
    let deaf = try DeafListener()
    let size: Int64 = 256 << 20
    let (started, start) = AsyncStream.makeStream(of: Void.self)
    let source = OddSource(length: size, actual: size) { _ in start.yield() }
    let error = try await withClient("https://api.test") { client in
      let task = Task { () -> ServiceError? in
        do throws(ServiceError) {
          _ = try await client.upload(Fixture.opened("http://127.0.0.1:\(deaf.port)", size: size), source)
          return nil
        } catch {
          return error
        }
      }
      for await _ in started { break }
      task.cancel()
      return await task.value
    }
    #expect(error == .cancelled)
  }
}
