import AsyncHTTPClient
import Digests
import FileSessions
import Foundation
import GRDB
import LocalService
import Synchronization
import Testing

@Suite("moontide serve")
struct ServeTests {
  @Test("says where it listens, ends by SIGTERM with 0 and by Ctrl-C with 130")
  func ends() async throws {
    let sandbox = try Sandbox()
    for (signal, status) in [(SIGTERM, 0 as Int32), (SIGINT, 130)] {
      let served = try await Served(in: sandbox)
      let reply = try await served.send("GET", served.url + "/healthz")
      #expect(reply.status == 200)
      served.signal(signal)
      #expect(await served.ended() == status)
    }
  }

  @Test("takes a key until another process revokes it, and not once afterwards")
  func revoked() async throws {
    let sandbox = try Sandbox()
    let made = try await sandbox.moontide("keys", "create", "--name", "laptop")
    let other = try await sandbox.moontide("keys", "create", "--name", "ci")
    let served = try await Served(in: sandbox)
    func status(_ made: Finished) async throws -> UInt {
      let key = made.output.trimmingCharacters(in: .newlines)
      let headers = ["authorization": "Bearer \(key)", "lightfield-version": "2026-03-01"]
      return try await served.send("GET", served.url + "/v1/files", [], headers).status
    }
    #expect(try await status(made) == 200)
    #expect(try await status(other) == 200)
    #expect(try await sandbox.moontide("keys", "revoke", "laptop").status == 0)
    #expect(try await status(made) == 401)
    #expect(try await status(other) == 200)
    // A key that is made while the server runs is taken at once, too.
    let late = try await sandbox.moontide("keys", "create", "--name", "laptop")
    #expect(try await status(late) == 200)
    #expect(try await status(made) == 401)
    served.signal(SIGTERM)
    #expect(await served.ended() == 0)
  }

  @Test("tells a wrong call, and a port that is taken")
  func refuses() async throws {
    let sandbox = try Sandbox()
    for arguments in [
      ["--port", "70000"], ["--rate-limit", "0"], ["--rate-limit", "fast"], ["--tls-cert", "a.pem"],
      ["--public-url", "files.example"],
    ] {
      let run = try await Running(["serve"] + arguments, in: sandbox.root, environment: [:]).finished()
      #expect(run.status == 2 && run.errors.contains(arguments[0]), "\(run)")
    }
    let served = try await Served(in: sandbox)
    let port = served.url.split(separator: ":").last.map(String.init) ?? ""
    let second = try await sandbox.moontide("serve", "--port", port)
    #expect(second.status == 2 && second.errors.contains("in use") && second.errors.contains("--port"))
    served.signal(SIGTERM)
    _ = await served.ended()
  }

  @Test("killed at random moments keeps every completed file, and no bytes that belong to nothing")
  func kills() async throws {
    let seed = UInt64.random(in: 1...UInt64.max)
    var random = SeededRandom(seed: seed)
    print("kill -9 of serve: \(KillTests.kills) kills, seed \(seed)")
    let sandbox = try Sandbox()
    let key = try await sandbox.moontide("keys", "create", "--name", "kill").output
      .trimmingCharacters(in: .newlines)
    let acknowledged = Acknowledged()
    for kill in 1...KillTests.kills {
      let served = try await Served(in: sandbox)
      let seeds = (0..<8).map { _ in UInt64.random(in: 1...UInt64.max, using: &random) }
      let moment = Duration.milliseconds(Int.random(in: 1...300, using: &random))
      await withTaskGroup(of: Void.self) { group in
        for seed in seeds {
          group.addTask {
            // Ends with the server.
            try? await Self.upload(to: served, key: key, seed: seed) { id, md5 in
              acknowledged.add(id, md5)
            }
          }
        }
        // The moment is what is random here; nothing is waited for.
        try? await Task.sleep(for: moment)
        served.signal(SIGKILL)
        await group.waitForAll()
      }
      #expect(await served.ended() == -1)
      try await check(sandbox, acknowledged.files, note: "seed \(seed), kill \(kill)")
    }
    print("kill -9 of serve: \(acknowledged.files.count) files were acknowledged")
  }

  /// Opens, fills and completes sessions until the server is gone.
  private static func upload(
    to served: Served, key: String, seed: UInt64, _ completed: @Sendable (String, MD5Digest) -> Void
  ) async throws {
    var random = SeededRandom(seed: seed)
    let headers = [
      "authorization": "Bearer \(key)", "lightfield-version": "2026-03-01",
      "content-type": "application/json",
    ]
    while true {
      let bytes = (0..<Int.random(in: 1...200_000, using: &random)).map {
        UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(truncatingIfNeeded: seed))
      }
      let body = #"{"filename":"a.bin","mimeType":"a/b","sizeBytes":\#(bytes.count)}"#
      let opened = try JSONDecoder().decode(
        Opened.self,
        from: try await served.send("POST", served.url + "/v1/files", Array(body.utf8), headers).body)
      _ = try await served.send("PUT", opened.uploadUrl, bytes, opened.uploadHeaders)
      var digest = DigestStream(.md5)
      digest.update(bytes)
      let md5 = MD5Digest(bytes: digest.finalize())
      let done = try await served.send(
        "POST", "\(served.url)/v1/files/\(opened.id)/complete", Array(#"{"md5":"\#(md5)"}"#.utf8), headers)
      if done.status == 200 { completed(opened.id, md5) }
    }
  }

  private struct Opened: Decodable {
    var id: String
    var uploadUrl: String
    var uploadHeaders: [String: String]
  }

  /// Opening sweeps; then every completed file is whole, and every blob has a row.
  private func check(_ sandbox: Sandbox, _ acknowledged: [String: MD5Digest], note: String) async throws {
    let directory = sandbox.path(".moontide/local")
    let store = try await LocalStore.open(directory)
    let service = store.service()
    var (offset, completed) = (0, Set<String>())
    while true {
      let page = try await service.list(limit: nil, offset: offset).data
      if page.isEmpty { break }
      offset += page.count
      for session in page where session.status == .completed {
        // A whole download compares the bytes with the md5 that they came with.
        let receipt = try await service.download(session.id, range: nil) { _ in }
        #expect(receipt.bytes == session.sizeBytes, "\(note)")
        if let md5 = acknowledged[session.id] { #expect(receipt.md5 == md5, "\(note)") }
        completed.insert(session.id)
      }
    }
    #expect(completed.isSuperset(of: acknowledged.keys), "\(note)")
    try await store.close()
    let named = try await DatabaseQueue(path: directory + "/service.sqlite").read { database in
      try String.fetchSet(database, sql: "SELECT blob FROM session WHERE blob IS NOT NULL")
    }
    let present = try FileManager.default.subpathsOfDirectory(atPath: directory + "/blobs").compactMap {
      path in
      path.split(separator: "/").count == 2 ? path.split(separator: "/").last.map(String.init) : nil
    }
    #expect(Set(present) == named, "\(note)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory + "/incoming").isEmpty, "\(note)")
  }
}

/// The files whose completion was answered.
private final class Acknowledged: Sendable {
  private let digests = Mutex([String: MD5Digest]())

  var files: [String: MD5Digest] { digests.withLock { $0 } }
  func add(_ id: String, _ md5: MD5Digest) { digests.withLock { $0[id] = md5 } }
}

/// A `moontide serve` that runs.
private final class Served: Sendable {
  let url: String
  private let child: Child

  /// Starts it on a port of its own, and waits until it listens.
  init(in sandbox: Sandbox) async throws {
    child = try Child(
      Running.executable, ["serve", "--port", "0", "--rate-limit", "off"], in: sandbox.root,
      environment: ProcessInfo.processInfo.environment)
    let (lines, reading) = AsyncStream.makeStream(of: String.self)
    let output = child.output
    Task {
      // Read to the end, so that what the server logs does not pile up.
      var text = ""
      for await data in output {
        guard text.firstIndex(of: "\n") == nil else { continue }
        text += String(decoding: data, as: UTF8.self)
        if let line = text.split(separator: "\n").first, text.contains("\n") { reading.yield(String(line)) }
      }
      reading.finish()
    }
    var iterator = lines.makeAsyncIterator()
    let line = try #require(await iterator.next(), "the server ended before it listened")
    let object = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
    #expect(object["event"] == "listening")
    url = try #require(object["url"])
  }

  func signal(_ number: Int32) {
    kill(child.id, number)
  }

  /// The exit status; -1 for a signal.
  func ended() async -> Int32 {
    await child.ended()
  }

  /// Takes a refusal at its word, where the shared client asks again for as long as connecting may take. It lasts
  /// as long as the process, as that one does.
  private static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }()

  func send(
    _ method: String, _ url: String, _ body: [UInt8] = [], _ headers: [String: String] = [:]
  ) async throws -> (status: UInt, body: Data) {
    var request = HTTPClientRequest(url: url)
    request.method = .RAW(value: method)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if !body.isEmpty { request.body = .bytes(body) }
    // Long enough for a loaded machine; a server that was killed refuses at once.
    let response = try await Self.client.execute(request, timeout: .seconds(60))
    let bytes = try await response.body.collect(upTo: 1 << 20)
    return (response.status.code, Data(bytes.readableBytesView))
  }
}
