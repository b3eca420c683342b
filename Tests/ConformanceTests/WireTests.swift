import FileSessions
import LocalService
import ServiceTestSupport
import Testing

@Suite("On the wire")
struct WireTests {
  struct Wrong: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var method = "POST"
    var path = "/v1/files"
    var body: String? = #"{"filename": "a", "mimeType": "text/plain", "sizeBytes": 3}"#
    var headers: [String: String] = [:]
    var without: Set<String> = []
    var status = 400
    var type = "bad_request"
    var code: String?
    var param: String?

    init(_ description: String, _ change: (inout Wrong) -> Void) {
      testDescription = description
      change(&self)
    }

    /// A wrong body of `POST /v1/files`.
    static func file(_ body: String, _ code: String, _ param: String?) -> Wrong {
      Wrong(body) {
        $0.body = body
        $0.code = code
        $0.param = param
      }
    }

    /// A wrong md5.
    static func md5(_ digits: String) -> Wrong {
      Wrong("md5 \(digits)") {
        $0.path = "/v1/files/fil_x/complete"
        $0.body = "{\"md5\": \"\(digits)\"}"
        $0.code = "invalid_value"
        $0.param = "md5"
      }
    }
  }

  static let wrongs: [Wrong] = [
    .file("{}", "parameter_missing", "filename"),
    .file(#"{"filename": "a", "sizeBytes": 3}"#, "parameter_missing", "mimeType"),
    .file(#"{"filename": "a", "mimeType": "text/plain"}"#, "parameter_missing", "sizeBytes"),
    .file(#"{"filename": 1, "mimeType": "text/plain", "sizeBytes": 3}"#, "invalid_type", "filename"),
    .file(#"{"filename": null, "mimeType": "text/plain", "sizeBytes": 3}"#, "invalid_type", "filename"),
    .file(#"{"filename": "a", "mimeType": "text/plain", "sizeBytes": "3"}"#, "invalid_type", "sizeBytes"),
    .file(#"{"filename": "a", "mimeType": "text/plain", "sizeBytes": 3.5}"#, "invalid_type", "sizeBytes"),
    .file(#"{"filename": "a", "mimeType": "text/plain", "sizeBytes": true}"#, "invalid_type", "sizeBytes"),
    .file(
      #"{"filename": "a", "mimeType": "text/plain", "sizeBytes": 3, "purpose": 7}"#, "invalid_type", "purpose"
    ),
    .file(#"{"filename": "a", "mimeType": "text/plain", "sizeBytes": 3, "x": 1}"#, "unknown_field", "x"),
    .file(#"{"filename": "", "mimeType": "text/plain", "sizeBytes": 3}"#, "invalid_value", "filename"),
    .file("[]", "invalid_type", nil), .file("", "parameter_missing", nil), .file("{", "invalid_json", nil),
    .file("{\"filename\": \"\\ud800\"}", "invalid_json", nil),
    .md5("D41D8CD98F00B204E9800998ECF8427E"), .md5("d41d8cd98f00b204e9800998ecf8427"), .md5(""),
    .md5("d41d8cd98f00b204e9800998ecf8427eZ"), .md5("g41d8cd98f00b204e9800998ecf8427e"),
    Wrong("no version") {
      $0.without = ["lightfield-version"]
      $0.code = "version_header"
    },
    Wrong("another version") {
      $0.headers = ["lightfield-version": "2025-01-01"]
      $0.code = "version_header"
    },
    Wrong("not JSON") {
      $0.headers = ["content-type": "text/plain"]
      ($0.status, $0.type) = (415, "unsupported_media_type")
    },
    Wrong("no type") {
      $0.without = ["content-type"]
      ($0.status, $0.type) = (415, "unsupported_media_type")
    },
    Wrong("no key") {
      $0.without = ["authorization"]
      ($0.status, $0.type) = (401, "unauthorized")
    },
    Wrong("an unknown key") {
      $0.headers = ["authorization": "Bearer sk_lf_nobody"]
      ($0.status, $0.type) = (401, "unauthorized")
    },
    Wrong("another scheme") {
      $0.headers = ["authorization": "Basic c2s6"]
      ($0.status, $0.type) = (401, "unauthorized")
    },
    Wrong("a path that is not served") {
      ($0.method, $0.path, $0.body) = ("GET", "/v1/nothing", nil)
      ($0.status, $0.type) = (404, "not_found")
    },
    Wrong("a limit that is no number") {
      ($0.method, $0.path, $0.body) = ("GET", "/v1/files?limit=ten", nil)
      ($0.code, $0.param) = ("invalid_type", "limit")
    },
    Wrong("a limit of 0") {
      ($0.method, $0.path, $0.body) = ("GET", "/v1/files?limit=0", nil)
      ($0.code, $0.param) = ("invalid_value", "limit")
    },
    Wrong("a key that is too long") {
      $0.headers = ["idempotency-key": String(repeating: "k", count: 256)]
      $0.code = "idempotency_key_too_long"
    },
    Wrong("a meeting without fields") {
      ($0.path, $0.body, $0.code, $0.param) = ("/v1/meetings", "{}", "parameter_missing", "fields")
    },
  ]

  @Test("a wrong request is told what is wrong with it, and where", arguments: wrongs)
  func wrong(_ wrong: Wrong) async throws {
    try await ServiceUnderTest.with(.http) { under in
      let wire = try await Wire(under)
      let answer = try await wire.call(
        wrong.method, wrong.path, wrong.body, headers: wrong.headers, without: wrong.without)
      #expect(answer.status == wrong.status)
      #expect(answer.error("type") == wrong.type)
      #expect(answer.error("message")?.isEmpty == false)
      if let code = wrong.code { #expect(answer.error("code") == code) }
      if let param = wrong.param { #expect(answer.error("param") == param) }
      #expect(answer.headers.first(name: "content-type")?.hasPrefix("application/json") == true)
    }
  }

  @Test("a session has all its keys, null where there is no value")
  func keys() async throws {
    try await ServiceUnderTest.with(.http) { under in
      let wire = try await Wire(under)
      let keys: Set = [
        "id", "filename", "mimeType", "sizeBytes", "status", "createdAt", "expiresAt", "completedAt",
      ]
      let created = try await wire.call(
        "POST", "/v1/files", #"{"filename": "a", "mimeType": "text/plain", "sizeBytes": 3}"#)
      guard case .object(let session)? = created.json, let id = session["id"]?.string else {
        Issue.record("\(created)")
        return
      }
      #expect(Set(session.keys) == keys.union(["uploadUrl", "uploadHeaders"]))
      #expect(session["completedAt"] == .null && session["status"] == .string("PENDING"))
      guard case .object(let found)? = try await wire.call("GET", "/v1/files/\(id)").json else {
        Issue.record("no session")
        return
      }
      #expect(Set(found.keys) == keys)
      guard case .object(let ended)? = try await wire.call("POST", "/v1/files/\(id)/cancel").json else {
        Issue.record("no session")
        return
      }
      #expect(Set(ended.keys) == keys && ended["expiresAt"] == .null)
    }
  }

  @Test("a final conflict says that it is final, and a repeat in flight does not")
  func shouldRetry() async throws {
    try await ServiceUnderTest.with(.http) { under in
      let wire = try await Wire(under)
      let id = try await wire.complete([1, 2, 3])
      let conflict = try await wire.call("POST", "/v1/files/\(id)/cancel", "{}")
      #expect(conflict.status == 409 && conflict.error("type") == "conflict")
      #expect(conflict.headers.first(name: "x-should-retry") == "false")
    }
  }

  @Test("bytes go only where the signature allows it, and need no key")
  func signatures() async throws {
    try await ServiceUnderTest.with(.http) { under in
      let wire = try await Wire(under)
      let (id, url, headers) = try await wire.create(3)
      let other = try await wire.create(3)
      let forged = [
        url.replacing(id, with: other.id), String(url.dropLast()) + (url.hasSuffix("0") ? "1" : "0"),
        String(url.prefix { $0 != "?" }), url + "0",
      ]
      for url in forged {
        #expect(try await wire.send("PUT", url, headers, [1, 2, 3]).status == 403, "\(url)")
      }
      var otherHeaders = headers
      otherHeaders["content-type"] = "image/png"
      #expect([400, 403].contains(try await wire.send("PUT", url, otherHeaders, [1, 2, 3]).status))
      #expect(try await wire.send("GET", url).status >= 400)
      #expect(try await wire.send("PUT", url, headers, [1, 2, 3]).status == 200)
      under.clock.advance(.seconds(3601))
      let late = try await wire.send("PUT", url, headers, [1, 2, 3]).status
      #expect([403, 409].contains(late))
    }
  }

  @Test("a download takes ranges, names the file, and ends with its signature")
  func downloads() async throws {
    try await ServiceUnderTest.with(.http) { under in
      let wire = try await Wire(under)
      let bytes = noise(1000)
      let name = "Übung \"1\"; x=\r\n.md"
      let place = try await wire.place(of: wire.complete(bytes, name: name))
      let whole = try await wire.send("GET", place)
      #expect(whole.status == 200 && whole.body == bytes)
      let disposition = whole.headers.first(name: "content-disposition") ?? ""
      #expect(
        disposition.contains("filename*=UTF-8''%C3%9Cbung%20%221%22%3B%20x%3D%0D%0A.md"), "\(disposition)")
      let ranges: [(String, Range<Int>?)] = [
        ("bytes=0-0", 0..<1), ("bytes=10-19", 10..<20), ("bytes=990-", 990..<1000), ("bytes=-10", 990..<1000),
        ("bytes=990-2000", 990..<1000), ("bytes=1000-", nil), ("bytes=-0", nil),
      ]
      for (range, expected) in ranges {
        let part = try await wire.send("GET", place, ["range": range])
        if let expected {
          #expect(part.status == 206 && part.body == Array(bytes[expected]), "\(range)")
          #expect(
            part.headers.first(name: "content-range")
              == "bytes \(expected.lowerBound)-\(expected.upperBound - 1)/1000")
        } else {
          #expect(
            part.status == 416 && part.headers.first(name: "content-range") == "bytes */1000", "\(range)")
        }
      }
      #expect(try await wire.send("GET", place + "0").status == 403)
      #expect(try await wire.send("PUT", place, [:], bytes).status >= 400)
      under.clock.advance(.seconds(7 * 24 * 3600))
      #expect(try await wire.send("GET", place).status == 403)
    }
  }
}
