import FileSessions
import LightfieldClient
import Logging
import Testing

/// A log that keeps everything, at the most verbose level.
struct NotingLog: LogHandler {
  let lines: Noted<[String]>
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    lines.change { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
  }
}

@Suite("The key")
struct SecretTests {
  /// Answers that send the key back in every place where a service could.
  static let failedAnswers: [StubAnswer] = [
    .reply(200, "you are \(markedKey)"),
    .reply(
      400, headers: ["x-request-id": markedKey],
      #"{"error":{"type":"x","message":"\#(markedKey)","code":"\#(markedKey)","param":"\#(markedKey)"}}"#),
    .reply(401, #"{"type":"unauthorized","message":"no such key: \#(markedKey)"}"#),
    .reply(403, String(repeating: "x", count: 190) + markedKey),
    .reply(500, String(repeating: "x", count: 4090) + markedKey + "\u{301}"),
    .reply(429, headers: ["retry-after-ms": "1"], "Bearer \(markedKey)\u{301}"),
    .reset, .raw("HTTP/1.1 \(markedKey)\r\n\r\n"), .raw("HTTP/1.1 200 OK\r\nx: \(markedKey)\r\n\r\n{"),
  ]

  @Test("is in no error and no log, whatever goes wrong", arguments: failedAnswers)
  func failures(answer: StubAnswer) async throws {
    let log = Noted<[String]>([])
    let server = try StubServer { _ in answer }
    let captured = Noted("")
    let logger = Logger(label: "client") { _ in NotingLog(lines: log) }
    try await withClient(server.url, { $0.logger = logger }) { client in
      captured.change { $0 += "\(client.configuration)" }
      for call in APICall.all {
        do {
          try await call.run(client)
        } catch {
          captured.change { $0 += "\(error)" + String(reflecting: error) }
          dump(error, to: captured)
        }
      }
    }
    #expect(!captured.value.contains("MARKED") && captured.value.count > 100)
    #expect(!log.value.joined().contains("MARKED") && !log.value.isEmpty)
  }

  @Test(
    "goes to no other host, also where the service redirects there", arguments: [301, 302, 303, 307, 308])
  func redirects(status: Int) async throws {
    let elsewhere = try StubServer { _ in .reply(200, Fixture.file) }
    let location = elsewhere.url.replacing("127.0.0.1", with: "localhost")
    let server = try StubServer { _ in .reply(status, headers: ["location": location], "") }
    try await withClient(server.url) { client in
      for call in APICall.all {
        let error = await #expect(throws: ServiceError.self) { try await call.run(client) }
        #expect(error?.kind == .unexpected && error?.message.contains("not followed") == true)
      }
    }
    #expect(elsewhere.requests.isEmpty)
    #expect(server.requests.count == APICall.all.count)
  }

  @Test("is not sent to where the bytes are, also when that is the service itself")
  func presigned() async throws {
    let address = Noted("")
    let server = try StubServer { Fixture.answer($0, bytesAt: address.value) }
    address.change { $0 = server.url }
    try await withClient(server.url) { client in
      let opened = try await client.create(APICall.newFile, key: nil)
      _ = try await client.upload(opened, BytesInMemory(Array("hello".utf8)))
      _ = try await client.download("fil_1", range: nil) { _ in }
    }
    let presigned = server.requests.filter { $0.target.hasPrefix("/bytes") }
    #expect(presigned.map(\.method) == ["PUT", "GET"])
    for request in presigned { #expect(!request.text.contains("MARKED")) }
  }

  @Test("does not go through a proxy in the clear, nor to a proxy at all")
  func proxy() async throws {
    let proxy = try StubServer { _ in .reply(407, "") }
    try await withClient(
      "https://api.test",
      {
        let url = "http://me:secret@127.0.0.1:\(proxy.port)"
        $0.proxy = try ProxySettings(environment: ["HTTPS_PROXY": url])
      }
    ) { client in
      let error = await #expect(throws: ServiceError.self) { try await client.retrieve("fil_1") }
      #expect(error?.kind == .unreachable, "\(error as Any)")
      #expect(error?.message.contains("secret") == false)
    }
    let request = try #require(proxy.requests.first)
    #expect(request.method == "CONNECT" && request.target == "api.test:443")
    #expect(request.header("proxy-authorization") != nil && !request.text.contains("MARKED"))
  }
}

/// Appends what `dump` prints.
private func dump(_ value: Any, to captured: Noted<String>) {
  var text = ""
  Swift.dump(value, to: &text)
  captured.change { $0 += text }
}
