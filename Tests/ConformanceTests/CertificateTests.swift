import FileSessions
import LightfieldClient
import ServiceTestSupport
import Testing

@Suite("A server whose encryption is not what the client takes")
struct CertificateTests {
  private func refusal(_ transport: Transport) async throws -> (error: ServiceError, host: String) {
    var result: (ServiceError, String)?
    try await ServiceUnderTest.with(transport) { under in
      let port = try #require(under.server).port
      let host = "https://127.0.0.1:\(port)"
      // It trusts what this machine trusts, and nobody else.
      let client = try LightfieldClient(
        key: try await under.key(), configuration: LightfieldClient.Configuration(baseURL: host),
        pacer: Pacer(clock: .skipping))
      let error = await #expect(throws: ServiceError.self) { try await client.retrieve("fil_1") }
      await client.shutdown()
      result = (try #require(error), host)
    }
    return try #require(result)
  }

  @Test(
    "is told by its host in a plain sentence, and not asked again",
    arguments: [(Transport.https, "not trusted"), (.http, "does not speak TLS")])
  func told(transport: Transport, words: String) async throws {
    let (error, host) = try await refusal(transport)
    #expect(error.kind == .unreachable && error.shouldRetry == false)
    #expect(error.message.contains(host) && error.message.contains(words), "\(error)")
    for detail in ["Error", "handshakeFailed", "SSL_R", "OPENSSL", ".cc", "/"] {
      #expect(!error.message.replacing(host, with: "").contains(detail), "\(error)")
    }
  }
}
