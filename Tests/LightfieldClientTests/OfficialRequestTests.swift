import FileSessions
import Foundation
import LightfieldClient
import Testing

/// What the client sends, beside what the official Python SDK sends for the same calls.
///
/// The SDK's requests are recorded in the run itself, from the installed package of the Python that
/// `MOONTIDE_SDK_PYTHON` names.
@Suite("The client's requests")
struct OfficialRequestTests {
  static let python = ProcessInfo.processInfo.environment["MOONTIDE_SDK_PYTHON"].flatMap {
    $0.isEmpty ? nil : $0
  }

  /// What of a request has to be the same.
  struct Comparable: Equatable {
    var method: String
    var path: String
    var query: Set<String>
    var headers: [String: String?]
    var body: JSONValue?

    init(_ request: StubRequest) throws {
      let parts = request.target.split(separator: "?", maxSplits: 1)
      method = request.method
      path = String(parts[0])
      query = Set(parts.dropFirst().first?.split(separator: "&").map(String.init) ?? [])
      let names = ["accept", "authorization", "content-type", "lightfield-version"]
      headers = Dictionary(uniqueKeysWithValues: names.map { ($0, request.header($0)) })
      body = request.body.isEmpty ? nil : try JSONDecoder().decode(JSONValue.self, from: Data(request.body))
    }
  }

  @Test(
    "are those of the official SDK",
    .enabled(if: python != nil, "MOONTIDE_SDK_PYTHON names no Python with the SDK"))
  func same() async throws {
    let python = try #require(Self.python)
    let server = try StubServer { Fixture.answer($0, bytesAt: "https://store.test") }
    try await withClient(server.url) { client in
      for call in APICall.all { try await call.run(client) }
    }
    let ours = server.requests
    let version = try await record(python, from: server.url)
    let theirs = server.requests.dropFirst(ours.count)
    print("compared \(ours.count) requests with those of the official SDK \(version)")
    #expect(theirs.count == APICall.all.count)
    for ((call, our), their) in zip(zip(APICall.all, ours), theirs) {
      #expect(try Comparable(our) == Comparable(their), "\(call.name)")
      let known: Set = [
        "host", "user-agent", "accept", "authorization", "lightfield-version", "content-type",
        "content-length",
        "idempotency-key",
      ]
      let names = Set(our.headers.map { $0.name.lowercased() })
      #expect(names.isSubset(of: known), "\(call.name)")
    }
  }

  /// Has the SDK make its calls, and gives its version.
  private func record(_ python: String, from url: String) async throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let script = here.appending(path: "Official/record.py")
    process.arguments = [script.path, url, markedKey]
    let output = Pipe()
    process.standardOutput = output
    try await withCheckedThrowingContinuation { (end: CheckedContinuation<Void, any Error>) in
      process.terminationHandler = { _ in end.resume() }
      do { try process.run() } catch { end.resume(throwing: error) }
    }
    #expect(process.terminationStatus == 0)
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
