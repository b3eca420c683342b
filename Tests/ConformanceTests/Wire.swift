import AsyncHTTPClient
import FileSessions
import Foundation
import NIOCore
import NIOHTTP1
import ServiceTestSupport

/// Requests as anybody may send them, right or wrong, and answers as they arrive.
struct Wire: Sendable {
  let base: String
  let key: String

  init(_ under: ServiceUnderTest) async throws {
    guard let server = under.server else { throw ServiceError(.unexpected, "no server") }
    base = server.url
    key = try await under.key().secret
  }

  struct Answer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]

    /// The body, read as JSON.
    var json: JSONValue? { try? JSONDecoder().decode(JSONValue.self, from: Data(body)) }

    /// A value of the error object, which has to be wrapped in `error`.
    func error(_ name: String) -> String? {
      guard case .object(let body)? = json, Set(body.keys) == ["error"],
        case .object(let error)? = body["error"]
      else { return nil }
      return error[name]?.string
    }
  }

  /// Sends a request of the API as it should be, but for what `headers` and `without` change.
  func call(
    _ method: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:],
    without: Set<String> = []
  ) async throws -> Answer {
    var all = ["authorization": "Bearer \(key)", "lightfield-version": "2026-03-01"]
    if body != nil { all["content-type"] = "application/json" }
    all.merge(headers) { $1 }
    all = all.filter { !without.contains($0.key) }
    return try await send(method, base + path, all, body.map { Array($0.utf8) })
  }

  /// Sends a request as it stands.
  func send(
    _ method: String, _ url: String, _ headers: [String: String] = [:], _ body: [UInt8]? = nil
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: url)
    request.method = HTTPMethod(rawValue: method)
    request.headers = HTTPHeaders(headers.sorted { $0.key < $1.key })
    if let body { request.body = .bytes(body) }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    let content = try await response.body.collect(upTo: 1 << 26)
    return Answer(
      status: Int(response.status.code), headers: response.headers, body: Array(content.readableBytesView))
  }

  /// Opens a session and gives its id, where its bytes go and with which headers.
  func create(
    _ size: Int, name: String = "a.md", purpose: String? = nil
  ) async throws -> (id: String, url: String, headers: [String: String]) {
    var fields: [String: JSONValue] = [
      "filename": .string(name), "mimeType": .string("text/plain"), "sizeBytes": .integer(Int64(size)),
    ]
    fields["purpose"] = purpose.map(JSONValue.string)
    let body = try JSONEncoder().encode(JSONValue.object(fields))
    let answer = try await call("POST", "/v1/files", String(decoding: body, as: UTF8.self))
    guard case .object(let session)? = answer.json, let id = session["id"]?.string,
      let url = session["uploadUrl"]?.string, case .object(let headers)? = session["uploadHeaders"]
    else {
      throw ServiceError(.unexpected, String(decoding: answer.body, as: UTF8.self), status: answer.status)
    }
    return (id, url, headers.compactMapValues(\.string))
  }

  /// Leads a file to `COMPLETED` and gives its id.
  func complete(_ bytes: [UInt8], name: String = "a.md") async throws -> String {
    let (id, url, headers) = try await create(bytes.count, name: name)
    _ = try await send("PUT", url, headers, bytes)
    _ = try await call("POST", "/v1/files/\(id)/complete", "{}")
    return id
  }

  /// Where a completed file can be fetched.
  func place(of id: String) async throws -> String {
    guard case .object(let place)? = try await call("GET", "/v1/files/\(id)/url").json,
      let url = place["url"]?.string
    else { throw ServiceError(.unexpected, "no url") }
    return url
  }
}
