import AsyncHTTPClient
import Digests
import FileServer
import FileSessions
import Foundation
import LocalService
import NIOCore
import Synchronization
import Testing

/// A store in a directory of its own with a clock that stands still, and a server before it.
final class Bench: Sendable {
  let directory: String
  let clock = ManualClock()
  let store: LocalStore
  let log = Log()

  init() async throws {
    directory = FileManager.default.temporaryDirectory.path() + "/moontide-server-\(UUID().uuidString)"
    store = try await LocalStore.open(directory, clock: clock.wallClock)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// A key of an admin user, unless told otherwise.
  func key(
    _ name: String = UUID().uuidString, organisation: String = "org_a",
    subject: Caller.Subject = .user(id: "usr_a"), isAdmin: Bool = true, scopes: Set<Scope> = []
  ) async throws -> String {
    try await store.createKey(
      name: name, organisation: organisation, subject: subject, isAdmin: isAdmin, scopes: scopes
    ).key.secret
  }

  /// Serves on a port of its own as long as `body` runs. What was answered meanwhile must be in the route table.
  func serving<Result: Sendable>(
    _ change: (inout FileServerConfiguration) -> Void = { _ in }, store: LocalStore? = nil,
    _ body: (API) async throws -> Result
  ) async throws -> Result {
    var configuration = FileServerConfiguration()
    configuration.port = 0
    configuration.rateLimit = nil
    change(&configuration)
    var surroundings = FileServerSurroundings()
    surroundings.clock = clock.wallClock
    surroundings.record = log.add
    let key = try await key()
    return try await FileServer.withRunning(
      store: store ?? self.store, configuration: configuration, surroundings: surroundings
    ) { server, address in
      let result = try await body(API(address: address, key: key, server: server))
      expectDescribed(server.metricsText)
      return result
    }
  }

  /// The files that hold bytes, whole or arriving.
  func blobs() throws -> [String] {
    try ["blobs", "incoming"].flatMap { root in
      try FileManager.default.subpathsOfDirectory(atPath: "\(directory)/\(root)").filter {
        $0.utf8.count >= 32
      }
    }
  }
}

/// Every route and status that a server counted is one that the table, and so the description, has.
private func expectDescribed(_ metrics: String) {
  for line in metrics.split(separator: "\n") where line.hasPrefix("moontide_http_requests_total") {
    guard let match = line.wholeMatch(of: /.*route="(.*)",status="(\d+)"} \d+/), match.1 != "other" else {
      continue
    }
    let route = Route.allCases.first { "\($0.method) \($0.path)" == match.1 }
    #expect(route?.statuses.contains(Int(match.2) ?? 0) == true, "\(match.1) answered \(match.2)")
  }
}

/// The lines of an access log.
final class Log: Sendable {
  private let records = Mutex<[AccessRecord]>([])

  @Sendable func add(_ record: AccessRecord) { records.withLock { $0.append(record) } }
  var all: [AccessRecord] { records.withLock { $0 } }
}

/// A clock that is moved by hand.
final class ManualClock: Sendable {
  private let moment = Mutex(Timestamp(milliseconds: 1_775_646_000_123))

  var now: Timestamp { moment.withLock { $0 } }
  var wallClock: WallClock { WallClock { self.now } }
  func advance(_ duration: Duration) { moment.withLock { $0 = $0 + duration } }
}

/// A client of a server under test, which does only what it is told.
struct API: Sendable {
  let address: FileServer.Address
  var key: String
  let server: FileServer

  /// What the API's calls carry.
  var standard: [String: String] {
    [
      "authorization": "Bearer \(key)", "lightfield-version": "2026-03-01",
      "content-type": "application/json",
    ]
  }

  /// A call of the API. `headers` replace the standard ones; an empty value takes one away.
  func call(
    _ method: String, _ path: String, _ body: String? = nil, _ headers: [String: String] = [:]
  ) async throws -> Reply {
    var all = standard.merging(headers) { $1 }
    if body == nil && headers["content-type"] == nil { all["content-type"] = nil }
    return try await send(
      method, address.url + path, body.map { Array($0.utf8) }, all.filter { !$0.value.isEmpty })
  }

  /// Any request.
  func send(
    _ method: String, _ url: String, _ body: [UInt8]? = nil, _ headers: [String: String] = [:]
  ) async throws -> Reply {
    var request = HTTPClientRequest(url: url)
    request.method = .RAW(value: method)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    let bytes = try await response.body.collect(upTo: 64 << 20)
    return Reply(
      status: Int(response.status.code),
      headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { $0 + "," + $1 },
      body: Array(bytes.readableBytesView))
  }

  /// Opens a session.
  func open(
    _ size: Int, _ filename: String = "a.md", purpose: String? = nil, headers: [String: String] = [:]
  ) async throws -> Opened {
    let purpose = purpose.map { #","purpose":"\#($0)""# } ?? ""
    let reply = try await call(
      "POST", "/v1/files",
      #"{"filename":"\#(filename)","mimeType":"text/markdown","sizeBytes":\#(size)\#(purpose)}"#, headers)
    #expect(reply.status == 200, "\(reply.text)")
    return try reply.decode(Opened.self)
  }

  /// Sends bytes to where a session wants them.
  func put(_ bytes: [UInt8], to opened: Opened) async throws -> Reply {
    try await send("PUT", opened.uploadUrl, bytes, opened.uploadHeaders)
  }

  /// A completed file.
  func complete(_ bytes: [UInt8], _ filename: String = "a.md") async throws -> Opened {
    let opened = try await open(bytes.count, filename)
    #expect(try await put(bytes, to: opened).status == 200)
    #expect(try await call("POST", "/v1/files/\(opened.id)/complete", "{}").status == 200)
    return opened
  }

  /// Where a completed file can be fetched.
  func downloadURL(of id: String) async throws -> String {
    try await call("GET", "/v1/files/\(id)/url").decode(DownloadURL.self).url
  }
}

/// What opening a session answers.
struct Opened: Decodable {
  var id: String
  var filename: String
  var uploadUrl: String
  var uploadHeaders: [String: String]
}

struct Reply: Sendable {
  var status: Int
  var headers: [String: String]
  var body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(body))
  }

  var error: ErrorBody.Detail? { try? decode(ErrorBody.self).error }
}

func md5(_ bytes: [UInt8]) -> String {
  var digest = DigestStream(.md5)
  digest.update(bytes)
  return MD5Digest(bytes: digest.finalize()).hex
}

/// Bytes that look like nothing in particular; the same for the same seed.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 33)
  }
}
