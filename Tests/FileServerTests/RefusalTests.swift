import FileServer
import FileSessions
import Foundation
import LocalService
import Testing

/// A request that is wrong in one way, or several, and what is said of it.
struct WrongRequest: Sendable, CustomTestStringConvertible {
  var method = "POST"
  var path = "/v1/files"
  var body: String? = #"{"filename":"a","mimeType":"text/plain","sizeBytes":1}"#
  var headers: [String: String] = [:]
  var status: Int
  var code: String?
  var param: String?

  var testDescription: String { "\(method) \(path) \(body ?? "") \(headers) → \(status) \(code ?? "")" }
}

@Suite struct RefusalTests {
  static let wrong: [WrongRequest] = [
    // Each earlier check hides the later ones.
    WrongRequest(
      body: "[", headers: ["authorization": "", "lightfield-version": "", "content-type": "text/plain"],
      status: 401),
    WrongRequest(headers: ["authorization": "Bearer sk_lf_nobody"], status: 401),
    WrongRequest(headers: ["authorization": "Basic abc"], status: 401),
    WrongRequest(
      body: "[", headers: ["lightfield-version": "", "content-type": "text/plain"], status: 400,
      code: "version_header", param: "Lightfield-Version"),
    WrongRequest(
      headers: ["lightfield-version": "2020-01-01"], status: 400, code: "version_header",
      param: "Lightfield-Version"),
    WrongRequest(
      body: "[",
      headers: ["idempotency-key": String(repeating: "k", count: 256), "content-type": "text/plain"],
      status: 400, code: "idempotency_key_too_long", param: "Idempotency-Key"),
    WrongRequest(body: "[", headers: ["content-type": "text/plain"], status: 415),
    WrongRequest(body: "{}", headers: ["content-type": ""], status: 415),
    WrongRequest(body: "[", status: 400, code: "invalid_json", param: "body"),
    WrongRequest(body: "[]", status: 400, code: "invalid_type", param: "body"),
    WrongRequest(body: nil, status: 400, code: "parameter_missing", param: "body"),
    WrongRequest(
      body: #"{"mimeType":"a/b","sizeBytes":1}"#, status: 400, code: "parameter_missing", param: "filename"),
    WrongRequest(
      body: #"{"filename":"a","mimeType":"a/b","sizeBytes":"1"}"#, status: 400, code: "invalid_type",
      param: "sizeBytes"),
    WrongRequest(
      body: #"{"filename":"a","mimeType":"a/b","sizeBytes":0}"#, status: 400, code: "invalid_value",
      param: "sizeBytes"),
    WrongRequest(
      body: #"{"filename":"a","mimeType":"a\nb","sizeBytes":1}"#, status: 400, code: "invalid_value",
      param: "mimeType"),
    WrongRequest(
      body: #"{"filename":"a","mimeType":"a/b","sizeBytes":1,"purpose":null}"#, status: 400,
      code: "invalid_type",
      param: "purpose"),
    WrongRequest(
      body: #"{"filename":"a","mimeType":"a/b","sizeBytes":1,"colour":"red"}"#, status: 400,
      code: "unknown_field", param: "colour"),
    WrongRequest(
      path: "/v1/files/fil_none/complete", body: #"{"x":1}"#, status: 400, code: "unknown_field", param: "x"),
    WrongRequest(
      path: "/v1/files/fil_none/cancel", body: #"{"x":1}"#, status: 400, code: "unknown_field", param: "x"),
    WrongRequest(path: "/v1/files/fil_none/complete", body: "{}", status: 404),
    WrongRequest(
      method: "GET", path: "/v1/files?limit=0", body: nil, status: 400, code: "invalid_value", param: "limit"),
    WrongRequest(
      method: "GET", path: "/v1/files?limit=ten", body: nil, status: 400, code: "invalid_type", param: "limit"
    ),
    WrongRequest(
      method: "GET", path: "/v1/files?offset=-1", body: nil, status: 400, code: "invalid_value",
      param: "offset"),
    WrongRequest(
      method: "GET", path: "/v1/meetings?limit=1&limit=2", body: nil, status: 400, code: "invalid_value",
      param: "limit"),
    WrongRequest(method: "GET", path: "/v1/files/", body: nil, status: 404),
    WrongRequest(method: "GET", path: "/v2/files", body: nil, status: 404),
    WrongRequest(
      method: "DELETE", path: "/v1/files/fil_none", body: nil, status: 405, code: "method_not_allowed"),
    WrongRequest(
      path: "/v1/meetings", body: #"{"fields":{"$title":1}}"#, status: 400, code: "invalid_type",
      param: "fields.$title"),
  ]

  @Test(arguments: wrong)
  func `A wrong request is refused in the API's shape, with the place`(_ wrong: WrongRequest) async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let reply = try await api.call(wrong.method, wrong.path, wrong.body, wrong.headers)
      #expect(reply.status == wrong.status, "\(reply.text)")
      let error = try #require(reply.error)
      #expect(error.code == wrong.code && error.param == wrong.param, "\(reply.text)")
      #expect(!error.message.isEmpty)
      #expect(reply.headers["x-request-id"]?.hasPrefix("req_") == true)
      #expect(reply.headers["date"] == "Wed, 08 Apr 2026 11:00:00 GMT")
      #expect(reply.headers["content-type"] == "application/json")
      #expect(try await api.call("GET", "/v1/files").decode(FileList.self).totalCount == 0)
    }
  }

  @Test func `A key without the scope gets a 403, after its body was looked at`() async throws {
    let bench = try await Bench()
    let readOnly = try await bench.key(scopes: [.filesRead])
    let member = try await bench.key(isAdmin: false)
    let workspace = try await bench.key(subject: .workspace)
    try await bench.serving { api in
      var limited = api
      limited.key = readOnly
      #expect(try await limited.call("POST", "/v1/files", "{}").status == 400)
      let refused = try await limited.call(
        "POST", "/v1/files", #"{"filename":"a","mimeType":"a/b","sizeBytes":1}"#)
      #expect(refused.status == 403 && refused.text.contains("files:create"))
      #expect(try await limited.call("GET", "/v1/files").status == 200)
      #expect(try await limited.call("GET", "/v1/meetings").status == 403)
      let own = try await limited.call("GET", "/v1/auth/validate").decode(Authorization.self)
      #expect(own == Authorization(active: true, scopes: ["files:read"], subjectType: .user))
      for (key, purpose) in [(member, "knowledge_workspace"), (workspace, "knowledge_user")] {
        limited.key = key
        let reply = try await limited.call(
          "POST", "/v1/files", #"{"filename":"a","mimeType":"a/b","sizeBytes":1,"purpose":"\#(purpose)"}"#)
        #expect(reply.status == 403, "\(purpose)")
      }
    }
  }

  @Test func `A revoked key ends with the next request`() async throws {
    let bench = try await Bench()
    let key = try await bench.key("old")
    try await bench.serving { api in
      var api = api
      api.key = key
      #expect(try await api.call("GET", "/v1/auth/validate").status == 200)
      _ = try await bench.store.revokeKey("old")
      #expect(try await api.call("GET", "/v1/auth/validate").status == 401)
    }
  }

  @Test func `A body of more than a mebibyte of JSON is refused, announced or not`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let body = #"{"filename":"\#(String(repeating: "a", count: 1 << 20))"}"#
      #expect(try await api.call("POST", "/v1/files", body).status == 413)
      let raw = try RawConnection(api.address)
      let headers = api.standard.map { "\($0.key): \($0.value)\r\n" }.joined()
      try await raw.write(
        "POST /v1/files HTTP/1.1\r\nhost: x\r\n\(headers)transfer-encoding: chunked\r\n\r\n")
      let piece = String(repeating: " ", count: 1 << 16)
      for _ in 0..<17 { try await raw.write("10000\r\n\(piece)\r\n") }
      #expect(try await raw.read(until: "bytes.").hasPrefix("HTTP/1.1 413"))
    }
  }

  @Test func `A connection goes on after a refusal whose small body was not read`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let raw = try RawConnection(api.address)
      try await raw.write("POST /v1/files HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello")
      #expect(try await raw.read(until: "sk_lf_…").hasPrefix("HTTP/1.1 401"))
      try await raw.write("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
      let last = try await raw.read()
      #expect(last.hasPrefix("HTTP/1.1 200") && last.hasSuffix("ok\n"))
    }
  }
}
