import FileSessions
import Foundation
import LightfieldClient
import Testing

@Suite("An error of the API")
struct ErrorTests {
  private func error(
    _ answer: StubAnswer, clock: WallClock = .system,
    change: (inout LightfieldClient.Configuration) -> Void = { _ in }
  ) async throws -> ServiceError {
    let server = try StubServer { _ in answer }
    return try await withClient(server.url, change, clock: clock) { client in
      try #require(
        await #expect(throws: ServiceError.self) { try await client.create(APICall.newFile, key: nil) })
    }
  }

  static let statuses: [(Int, String, ServiceError.Kind)] = [
    (400, "bad_request", .badRequest), (401, "unauthorized", .unauthorized), (403, "forbidden", .forbidden),
    (404, "not_found", .notFound), (408, "request_timeout", .requestTimeout), (409, "conflict", .conflict),
    (409, "idempotency_conflict", .idempotencyConflict),
    (415, "unsupported_media_type", .unsupportedMediaType),
    (422, "unprocessable_content", .unprocessableContent), (429, "too_many_requests", .tooManyRequests),
    (500, "internal_server_error", .internalServerError), (502, "bad_gateway", .internalServerError),
    (503, "service_unavailable", .serviceUnavailable), (504, "gateway_timeout", .gatewayTimeout),
    (418, "teapot", .unexpected),
  ]

  @Test("keeps status, code, param and the id of the request, wrapped or bare", arguments: statuses)
  func fields(status: Int, type: String, kind: ServiceError.Kind) async throws {
    let inner = #"{"type":"\#(type)","message":"What was wrong.","code":"some_code","param":"filename"}"#
    for body in [inner, #"{"error":\#(inner)}"#] {
      let error = try await error(.reply(status, headers: ["X-Request-Id": "req_1"], body))
      #expect(error.kind == kind && error.status == status)
      #expect(error.code == "some_code" && error.param == "filename" && error.requestID == "req_1")
      #expect(error.message.contains("What was wrong."))
      #expect(error.retryAfter == nil && error.shouldRetry == nil)
    }
  }

  @Test("keeps its class when its body is no JSON, and shows what came", arguments: statuses)
  func foreignBodies(status: Int, type: String, kind: ServiceError.Kind) async throws {
    let error = try await error(.reply(status, "<html>\u{1b}[31mBad\u{7}"))
    #expect(error.kind == (type == "idempotency_conflict" ? .conflict : kind))
    #expect(error.message.contains("<html>\\u{1b}[31mBad\\u{7}"))
  }

  @Test("says what to do about a key that is not accepted, or may not do this")
  func keys() async throws {
    let body = #"{"error":{"type":"x","message":"No."}}"#
    let unknown = try await error(.reply(401, body))
    #expect(unknown.message.contains("…7d") || unknown.message.contains("…3b7d"))
  }

  @Test(
    "names the scope where it is about scopes, or gives no reason at all, and then once",
    arguments: [
      ("A scope is missing.", 1), ("The key lacks the scope files:create.", 1), (nil, 1),
      ("The purpose takes an admin of the organisation.", 0), ("No.", 0),
    ] as [(String?, Int)])
  func scopes(said: String?, times: Int) async throws {
    let body = said.map { #"{"error":{"type":"forbidden","message":"\#($0)"}}"# } ?? ""
    let error = try await error(.reply(403, body))
    #expect(error.message.components(separatedBy: "files:create").count == times + 1, "\(error)")
    #expect(error.message.contains("…3b7d"), "\(error)")
  }

  static let now = Timestamp(milliseconds: 1_775_646_000_000)  // Wed, 08 Apr 2026 11:00:00 GMT

  @Test(
    "tells how long to wait, in each form",
    arguments: [
      (["Retry-After": "7"], .seconds(7)), (["Retry-After": "0.5"], .milliseconds(500)),
      (["retry-after-ms": "1500", "Retry-After": "7"], .milliseconds(1500)),
      (["Retry-After": "Wed, 08 Apr 2026 11:00:09 GMT"], .seconds(9)),
      // By the clock of the service, not by ours.
      (
        ["Retry-After": "Wed, 08 Apr 2026 10:00:05 GMT", "Date": "Wed, 08 Apr 2026 10:00:02 GMT"], .seconds(3)
      ),
      (["Retry-After": "soon"], nil), (["Retry-After": "-5"], nil), (["Retry-After": "nan"], nil),
      (["Retry-After": "1e300"], nil), (["Retry-After": "Wed, 99 Foo 2026 11:00:09 GMT"], nil), ([:], nil),
    ] as [([String: String], Duration?)])
  func retryAfter(headers: [String: String], expected: Duration?) async throws {
    let error = try await error(
      .reply(429, headers: headers, "{}"), clock: WallClock { Self.now })
    #expect(error.retryAfter == expected)
  }

  @Test("survives headers that no service sends")
  func absurdHeaders() async throws {
    for number in ["9223372036854775807", "-9223372036854775808", "1e999", ""] {
      let names = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"]
      let headers = Dictionary(uniqueKeysWithValues: names.map { ($0, number) })
      let error = try await error(.reply(429, headers: headers, "{}"))
      #expect(error.kind == .tooManyRequests && error.retryAfter == nil)
    }
  }

  @Test("passes on the service's own word on retries", arguments: [("true", true), ("false", false)])
  func shouldRetry(word: String, expected: Bool) async throws {
    #expect(try await error(.reply(409, headers: ["x-should-retry": word], "{}")).shouldRetry == expected)
  }

  @Test(
    "is unexpected when a success is not the API's",
    arguments: ["", "<html></html>", "{}", #"{"id":"fil_1"}"#, Fixture.file])
  func strangeSuccess(body: String) async throws {
    let error = try await error(.reply(200, body))
    #expect(error.kind == .unexpected && error.status == 200)
    #expect(error.message.contains("Check the service's URL"))
  }

  @Test(
    "is unreachable when the connection breaks, wherever it does",
    arguments: [
      StubAnswer.reset, .raw(""), .raw("HTTP/1.1 200 OK\r\ncontent-le"),
      .raw("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"id\":"),
      .raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"id\""),
      .raw("garbage\r\n\r\n"),
    ])
  func broken(answer: StubAnswer) async throws {
    let error = try await error(answer)
    #expect(error.kind == .unreachable && error.status == nil, "\(error)")
    #expect(error.shouldRetry == nil)
  }

  @Test("is unreachable when nothing comes for too long", .timeLimit(.minutes(1)))
  func silence() async throws {
    for answer in [StubAnswer.silence] {
      let error = try await error(answer) { $0.answerTimeout = .milliseconds(100) }
      #expect(error.kind == .unreachable && error.message.contains("within 0.1 seconds"))
    }
  }

  @Test("is unreachable at once where nobody listens", arguments: ["127.0.0.1", "localhost"])
  func refused(host: String) async throws {
    let url = "http://\(host):\(try DeafListener().port)"
    let error = try await withClient(url) { client in
      try #require(await #expect(throws: ServiceError.self) { try await client.retrieve("fil_1") })
    }
    #expect(error.kind == .unreachable)
    #expect(error.message == "There is no connection: nobody listens at \(url).")
  }
}
