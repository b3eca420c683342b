import Foundation
import ScriptTestSupport
import Synchronization

/// A service on the network that answers every call as a test says, or not at all.
final class StubbedService: Sendable {
  /// A request, as far as tests ask.
  struct Call: Hashable, CustomStringConvertible {
    /// `POST /v1/files`
    var name: String
    var idempotencyKey: String?
    var body: String

    var description: String { name }
  }

  /// What is answered to a call; the number says how often this one came before. Nil: nothing, until the client goes.
  typealias Answer = @Sendable (_ name: String, _ times: Int) -> String?

  let environment: [String: String]
  private let server: LoopbackServer

  init(_ answer: @escaping Answer) throws {
    let counts = Mutex([String: Int]())
    server = try LoopbackServer { line in
      let name = line.split(separator: " ").prefix(2).joined(separator: " ")
      let times = counts.withLock { counts in
        counts[name, default: 0] += 1
        return (counts[name] ?? 1) - 1
      }
      return answer(name, times).map { [$0] } ?? []
    }
    environment = [
      "LIGHTFIELD_API_KEY": "sk_lf_0123456789abcdefghij",
      "LIGHTFIELD_BASE_URL": "http://127.0.0.1:\(server.port)",
    ]
  }

  /// Where bytes go.
  var uploadURL: String { "http://127.0.0.1:\(server.port)/bytes" }

  /// All that came, in order.
  var calls: [Call] {
    server.requests.map { text in
      let parts = text.split(separator: "\r\n\r\n", maxSplits: 1)
      let lines = (parts.first ?? "").components(separatedBy: "\r\n")
      let key = lines.first { $0.lowercased().hasPrefix("idempotency-key:") }
      return Call(
        name: lines[0].split(separator: " ").prefix(2).joined(separator: " "),
        idempotencyKey: key?.dropFirst("idempotency-key:".count).trimmingCharacters(in: .whitespaces),
        body: parts.count > 1 ? String(parts[1]) : "")
    }
  }

  /// Waits until a call has come, at most half a minute.
  func hasSeen(_ name: String) async throws {
    for _ in 0..<3000 {
      if calls.contains(where: { $0.name == name }) { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw Timeout()
  }

  struct Timeout: Error {}

  static func json(_ status: Int, _ body: String, requestID: String? = nil) -> String {
    "HTTP/1.1 \(status) Any\r\nconnection: close\r\ncontent-type: application/json\r\n"
      + (requestID.map { "x-request-id: \($0)\r\n" } ?? "")
      + "content-length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  /// A session, and where its bytes go when it is opened.
  static func session(_ id: String, _ status: String, uploadURL: String? = nil) -> String {
    var body = """
      {"id":"\(id)","filename":"a.txt","mimeType":"text/plain","sizeBytes":6,"status":"\(status)",\
      "createdAt":"2026-04-08T09:00:00.000Z","expiresAt":null,"completedAt":null
      """
    if let uploadURL { body += #","uploadUrl":"\#(uploadURL)","uploadHeaders":{}"# }
    return json(200, body + "}")
  }
}
