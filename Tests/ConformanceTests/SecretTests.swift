import FileSessions
import LightfieldClient
import LocalService
import Logging
import ServiceTestSupport
import Synchronization
import Testing

@Suite("The key, with the log at its most verbose")
struct SecretTests {
  static let secret = "sk_lf_MARKED0123456789abcdefMARKED"

  /// What somebody on the way answers; nil: the server itself does.
  static let answers: [CannedAnswer?] = [
    nil,
    CannedAnswer(307, headers: ["location": "http://127.0.0.2:1/elsewhere"]),
    CannedAnswer(302, headers: ["location": "http://127.0.0.2:1/?key=\(secret)"]),
    .tooManyRequests(["retry-after": "1"]), .gateway(503), CannedAnswer(200, body: "{"),
    CannedAnswer(
      401, headers: ["content-type": "application/json", "x-request-id": secret],
      body: #"{"error":{"type":"unauthorized","message":"Not Bearer \#(secret)!","code":"\#(secret)"}}"#),
    CannedAnswer(500, headers: ["content-type": "text/html"], body: "<p>Bearer \(secret)</p>"),
    CannedAnswer(200, headers: ["content-type": "application/json"], body: #"{"id": "\#(secret)"}"#),
  ]

  @Test("is in no line of the log and in no error, whatever is answered", arguments: answers)
  func hidden(answer: CannedAnswer?) async throws {
    try await ServiceUnderTest.with(.http) { under in
      let server = try #require(under.server)
      let key = try #require(APIKey(Self.secret))
      let arrived = Mutex(0)
      let decide: FaultProxy.Director = { head in
        if head.headers.first(name: "authorization")?.contains(Self.secret) == true {
          arrived.withLock { $0 += 1 }
        }
        return answer.map(Fault.answer) ?? .none
      }
      let proxy = try await FaultProxy.start(before: server.port, decide: decide)
      let log = CapturedLog()
      let configuration = LightfieldClient.Configuration(
        baseURL: "http://127.0.0.1:\(proxy.port)", logger: Logger(label: "test") { _ in log })
      let client = try LightfieldClient(
        key: key, configuration: configuration, pacer: Pacer(clock: .skipping), clock: under.clock.wallClock)
      var said = try await Self.errors(of: client)
      #expect(!said.isEmpty)
      said += [String(describing: client), String(reflecting: client)]
      // Not the client: down to the requests that are under way, where the key has to be.
      for value in [key, configuration] as [Any] {
        var dumped = ""
        dump(value, to: &dumped)
        said += [String(describing: value), String(reflecting: value), dumped]
      }
      await client.shutdown()
      await proxy.stop()
      #expect(arrived.withLock { $0 } > 5, "the key did not even go to its service")
      #expect(!log.lines.isEmpty, "nothing was logged")
      let leaks = (said + log.lines).filter { $0.contains("MARKED0123456789abcdef") }
      #expect(leaks == [])
    }
  }

  /// What each call's failure says, in every way that one can be printed.
  private static func errors(of client: LightfieldClient) async throws -> [String] {
    var said: [String] = []
    func note(_ call: () async throws -> Void) async {
      do {
        try await call()
      } catch {
        var dumped = ""
        dump(error, to: &dumped)
        said += ["\(error)", String(reflecting: error), dumped]
      }
    }
    let target = UploadTarget.presigned(url: "http://127.0.0.2:1/upload", headers: [:])
    let now = Timestamp(milliseconds: 0)
    let session = FileSession(
      id: "fil_1", filename: "a", mimeType: "text/plain", sizeBytes: 1, status: .pending, createdAt: now,
      expiresAt: nil, completedAt: nil)
    await note { _ = try await client.create(.text("a", 1), key: "k") }
    await note {
      _ = try await client.upload(OpenedSession(session: session, target: target), BytesInMemory([1]))
    }
    await note { _ = try await client.complete("fil_1", md5: nil, key: "k") }
    await note { _ = try await client.cancel("fil_1", key: nil) }
    await note { _ = try await client.retrieve("fil_1") }
    await note { _ = try await client.list(limit: nil, offset: nil) }
    await note { _ = try await client.url("fil_1") }
    await note { _ = try await client.download("fil_1", range: nil) { _ in } }
    await note { _ = try await client.listMeetings(limit: nil, offset: nil) }
    await note { _ = try await client.validateAuthorization() }
    return said
  }
}

/// A log that takes every line there is.
private final class CapturedLog: LogHandler, Sendable {
  private let taken = Mutex<[String]>([])

  var lines: [String] { taken.withLock { $0 } }

  // A handler is to be a value; these lines are one place for all of its copies.
  var logLevel: Logger.Level {
    get { .trace }
    set {}
  }
  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }

  func log(event: LogEvent) {
    taken.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
  }
}
