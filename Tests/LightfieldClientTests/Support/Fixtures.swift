import FileSessions
import LightfieldClient
import Testing

/// A key that can be looked for in everything that was captured.
let markedKey = "sk_lf_MARKED_9f3b7d"

/// What the API answers, as texts.
enum Fixture {
  static let file = """
    {"id":"fil_1","filename":"a.md","mimeType":"text/markdown","sizeBytes":5,"status":"COMPLETED",\
    "createdAt":"2026-04-08T11:00:00.000Z","expiresAt":null,"completedAt":"2026-04-08T11:00:01.000Z"}
    """

  static func created(uploadURL: String, headers: String = #"{"content-type":"text/markdown"}"#) -> String {
    """
    {"id":"fil_1","filename":"a_1.md","mimeType":"text/markdown","sizeBytes":5,"status":"PENDING",\
    "createdAt":"2026-04-08T11:00:00.000Z","expiresAt":"2026-04-08T12:00:00.000Z","completedAt":null,\
    "uploadUrl":"\(uploadURL)","uploadHeaders":\(headers)}
    """
  }

  static let meeting = """
    {"id":"mtg_1","objectType":"meeting","createdAt":"2026-04-08T11:00:00.000Z","updatedAt":null,\
    "httpLink":null,"accessLevel":"FULL","fields":{"$title":{"value":"Weekly","valueType":"TEXT"}},\
    "relationships":{"$transcript":{"cardinality":"has_one","objectType":"file","values":["fil_1"]}}}
    """

  static let validated =
    #"{"active":true,"scopes":["files:read"],"subjectType":"user","tokenType":"api_key"}"#

  static func list(_ item: String) -> String { #"{"data":[\#(item)],"object":"list","totalCount":7}"# }

  static func url(_ url: String) -> String { #"{"url":"\#(url)","expiresAt":"2026-04-08T12:00:00.000Z"}"# }

  /// The right answer to every call of the API.
  static func answer(_ request: StubRequest, bytesAt base: String) -> StubAnswer {
    switch (request.method, request.target.prefix { $0 != "?" }) {
    case ("POST", "/v1/files"): .reply(200, created(uploadURL: base + "/bytes?signature=x%2By"))
    case ("GET", "/v1/files"): .reply(200, list(file))
    case ("GET", "/v1/meetings"): .reply(200, list(meeting))
    case ("GET", "/v1/auth/validate"): .reply(200, validated)
    case ("PUT", _): .reply(200, "")
    case ("GET", "/bytes"): .reply(200, "hello")
    case (_, let path) where path.hasSuffix("/url"): .reply(200, url(base + "/bytes?signature=z"))
    case (_, let path) where path.hasPrefix("/v1/meetings"): .reply(200, meeting)
    default: .reply(200, file)
    }
  }

  static func opened(_ url: String, size: Int64 = 5, headers: [String: String] = [:]) -> OpenedSession {
    let session = FileSession(
      id: "fil_1", filename: "a.md", mimeType: "text/markdown", sizeBytes: size, status: .pending,
      createdAt: Timestamp(milliseconds: 0), expiresAt: nil, completedAt: nil)
    return OpenedSession(session: session, target: .presigned(url: url, headers: headers))
  }
}

/// Runs a test with a client of `url`, and shuts it down.
func withClient<Value>(
  _ url: String, _ change: (inout LightfieldClient.Configuration) throws -> Void = { _ in },
  pacer: Pacer? = nil, clock: WallClock = .system, steadyClock: SteadyClock = .system,
  _ body: (LightfieldClient) async throws -> Value
) async throws -> Value {
  var configuration = LightfieldClient.Configuration(baseURL: url, userAgent: "moontide/test")
  try change(&configuration)
  let client = try LightfieldClient(
    key: try #require(APIKey(markedKey)), configuration: configuration,
    pacer: pacer ?? Pacer(clock: steadyClock), clock: clock, steadyClock: steadyClock)
  do {
    let value = try await body(client)
    await client.shutdown()
    return value
  } catch {
    await client.shutdown()
    throw error
  }
}

/// One call of the API, by name.
struct APICall: Sendable, CustomTestStringConvertible {
  let name: String
  let isWrite: Bool
  let run: @Sendable (LightfieldClient) async throws -> Void

  var testDescription: String { name }

  static let newFile = NewFile(
    filename: "Übung/ 1.md", mimeType: "text/markdown", sizeBytes: 5, purpose: .knowledgeUser)
  static let newMeeting = NewMeeting(
    title: "Weekly", startDate: Timestamp(milliseconds: 1_775_646_000_000),
    endDate: Timestamp(milliseconds: 1_775_649_600_000), description: "notes", meetingURL: "https://x.test/1",
    organizerEmail: "a@x.test", attendeeEmails: ["b@x.test", "c@x.test"], privacySetting: .full,
    transcript: "fil_1")

  static let all: [APICall] = [
    APICall(name: "create", isWrite: true) { _ = try await $0.create(newFile, key: "key-1") },
    APICall(name: "complete", isWrite: true) {
      _ = try await $0.complete("fil_1", md5: MD5Digest(hex: String(repeating: "a", count: 32)), key: "key-2")
    },
    APICall(name: "complete without md5", isWrite: true) {
      _ = try await $0.complete("fil_1", md5: nil, key: nil)
    },
    APICall(name: "cancel", isWrite: true) { _ = try await $0.cancel("fil_1", key: nil) },
    APICall(name: "retrieve", isWrite: false) { _ = try await $0.retrieve("fil_1") },
    APICall(name: "list", isWrite: false) { _ = try await $0.list(limit: 10, offset: 20) },
    APICall(name: "list without limits", isWrite: false) { _ = try await $0.list(limit: nil, offset: nil) },
    APICall(name: "url", isWrite: false) { _ = try await $0.url("fil_1") },
    APICall(name: "validate", isWrite: false) { _ = try await $0.validateAuthorization() },
    APICall(name: "create a meeting", isWrite: true) {
      _ = try await $0.createMeeting(newMeeting, key: "key-3")
    },
    APICall(name: "create a small meeting", isWrite: true) {
      let small = NewMeeting(title: "W", startDate: newMeeting.startDate, endDate: newMeeting.endDate)
      _ = try await $0.createMeeting(small, key: nil)
    },
    APICall(name: "update a meeting", isWrite: true) {
      _ = try await $0.updateMeeting(
        "mtg_1", MeetingChange(transcript: "fil_1", privacySetting: .metadata), key: "key-4")
    },
    APICall(name: "replace a transcript", isWrite: true) {
      _ = try await $0.updateMeeting("mtg_1", MeetingChange(transcript: "fil_2"), key: nil)
    },
    APICall(name: "retrieve a meeting", isWrite: false) { _ = try await $0.retrieveMeeting("mtg_1") },
    APICall(name: "list meetings", isWrite: false) { _ = try await $0.listMeetings(limit: 5, offset: 0) },
  ]
}
