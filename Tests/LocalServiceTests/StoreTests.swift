import FileSessions
import Foundation
import GRDB
import LocalService
import Testing

@Suite("The store on the disk")
struct StoreTests {
  private let bench: Bench
  private var service: LocalFileService { bench.service }
  private var database: String { bench.directory + "/service.sqlite" }

  init() async throws { bench = try await Bench() }

  /// The files of the store with their bytes.
  private func content() throws -> [String: Data] {
    var content: [String: Data] = [:]
    for place in try FileManager.default.subpathsOfDirectory(atPath: bench.directory) {
      if let bytes = try? Data(contentsOf: URL(filePath: bench.directory + "/" + place)) {
        content[place] = bytes
      }
    }
    return content
  }

  /// What opening fails with, after a look that nothing has changed.
  private func refusalThatTouchesNothing() async throws -> LocalStoreError? {
    let before = try content()
    let error = await #expect(throws: LocalStoreError.self) { _ = try await bench.reopen() }
    let isUntouched = try content() == before
    #expect(isUntouched)
    return error
  }

  private func put(_ bytes: [UInt8], _ place: String) throws {
    try Data(bytes).write(to: URL(filePath: bench.directory + "/" + place))
  }

  @Test("a new store is for its owner's eyes only")
  func permissions() throws {
    for place in ["", "/blobs", "/incoming", "/blobs/00", "/blobs/ff"] {
      let attributes = try FileManager.default.attributesOfItem(atPath: bench.directory + place)
      #expect(attributes[.posixPermissions] as? Int == 0o700, "\(place)")
    }
  }

  @Test("directories above the store are made when they are missing")
  func parents() async throws {
    let directory = bench.directory + "/x/.moontide/local"
    try await LocalStore.open(directory).close()
    #expect(FileManager.default.fileExists(atPath: directory + "/service.sqlite"))
  }

  @Test("a directory that cannot be made is an error that says what to do")
  func noDirectory() async throws {
    try put([1], "file")
    let error = await #expect(throws: LocalStoreError.self) {
      _ = try await LocalStore.open(bench.directory + "/file/local")
    }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains("another state directory") == true)
  }

  @Test("a database that is damaged is refused and stays as it was")
  func damaged() async throws {
    _ = try await bench.complete(noise(10))
    try await bench.store.close()
    try put(noise(20_000), "service.sqlite")
    let error = try await refusalThatTouchesNothing()
    #expect(error?.code == .damaged && error?.path == database)
  }

  @Test("a database that was cut short is refused and stays as it was")
  func truncated() async throws {
    _ = try await bench.complete(noise(10))
    try await bench.store.close()
    let whole = try Data(contentsOf: URL(filePath: database))
    try put([UInt8](whole.prefix(whole.count / 2)), "service.sqlite")
    #expect(try await refusalThatTouchesNothing()?.code == .damaged)
  }

  @Test("a newer version's database is refused and stays as it was")
  func newer() async throws {
    try await bench.store.close()
    let queue = try DatabaseQueue(path: database)
    try await queue.writeWithoutTransaction { database in
      try database.execute(sql: "INSERT INTO grdb_migrations VALUES ('of tomorrow')")
      try database.checkpoint(.truncate)
    }
    try queue.close()
    let error = try await refusalThatTouchesNothing()
    #expect(error?.code == .newer)
    #expect(error?.message.contains("newer version") == true)
  }

  @Test("another program's database is refused and stays as it was")
  func foreign() async throws {
    try await bench.store.close()
    try FileManager.default.removeItem(atPath: database)
    let queue = try DatabaseQueue(path: database)
    try await queue.write { try $0.execute(sql: "CREATE TABLE theirs (a)") }
    try queue.close()
    #expect(try await refusalThatTouchesNothing()?.code == .foreign)
  }

  @Test("a policy.json replaces the standard limits")
  func policyFile() async throws {
    try put(
      Array(#"{"maximumBytes": 10, "sessionLifetime": 60, "purposes": {"memo": {"suffixed": true}}}"#.utf8),
      "policy.json")
    let service = try await bench.reopen().service()
    let opened = try await service.create(
      NewFile(filename: "a.md", mimeType: "b/c", sizeBytes: 10, purpose: Purpose(rawValue: "memo")), key: nil)
    #expect(opened.session.expiresAt == bench.clock.now + .seconds(60))
    #expect(opened.session.filename == "a_\(bench.clock.now.milliseconds).md")
    for (size, purpose) in [(11, nil), (1, Purpose.knowledgeUser)] as [(Int64, Purpose?)] {
      await refusal(.badRequest) { () async throws(ServiceError) in
        try await service.create(
          NewFile(filename: "a", mimeType: "b/c", sizeBytes: size, purpose: purpose), key: nil)
      }
    }
  }

  @Test(
    "a policy.json that cannot be understood is refused, and the message says where it is wrong",
    arguments: [
      ("{\n  \"maximumBytes\": 1,,\n}", "line 2, column 21 is not JSON"),
      ("", "line 1, column 1 is not JSON"),
      ("{\n\n  \"purposes\": nil}", "line 3, column 15 is not JSON"),
      ("{} {}", "line 1, column 4 is not JSON"),
      (#"{"maximumBytes": "ten"}"#, "maximumBytes: "),
      (#"{"maximumBites": 10}"#, "maximumBites: this is not one of maximumFilenameLength, maximumBytes"),
      (#"{"sessionLifetime": 0}"#, "sessionLifetime: 0 must be 1 or more"),
      (#"{"purposes": {"memo": {"adminonly": true}}}"#, "purposes.memo.adminonly: this is not one of"),
      (#"{"purposes": {"memo": {"adminOnly": 1}}}"#, "purposes.memo.adminOnly: "),
      (#"[]"#, "policy.json"),
    ])
  func brokenPolicy(text: String, place: String) async throws {
    try await bench.store.close()
    try put(Array(text.utf8), "policy.json")
    let error = try await refusalThatTouchesNothing()
    #expect(error?.code == .policy)
    #expect(error?.message.contains(place) == true, "\(error?.message ?? "")")
  }

  @Test("what a crash left over is swept, and what belongs to a session stays")
  func sweep() async throws {
    let completed = try await bench.complete(noise(10, seed: 1))
    let filled = try await bench.fill(noise(10, seed: 2))
    let forgotten = try await bench.open(noise(10))
    let kept = try bench.blobs()
    // A half of an upload, a blob whose row was not written, and one under a name of nobody's.
    try put(noise(5), "incoming/\(String(repeating: "0", count: 32))")
    try put(noise(10, seed: 3), "blobs/ab/ab\(String(repeating: "0", count: 30))")
    try put([], "blobs/ff/ff\(String(repeating: "f", count: 30))")
    #expect(try bench.blobs().count == kept.count + 3)

    // Somebody has the store open: those may be blobs on their way.
    _ = try await bench.reopen()
    #expect(try bench.blobs().count == kept.count + 3)

    let service = try await reopenAlone().service()
    #expect(try bench.blobs() == kept)
    #expect(try await service.bytes(of: completed.id) == noise(10, seed: 1))
    #expect(try await service.complete(filled.session.id, md5: nil, key: nil).status == .completed)
    #expect(try await service.retrieve(forgotten.session.id).status == .pending)
  }

  @Test("a sweep removes the bytes of sessions that expired meanwhile")
  func sweepOfExpired() async throws {
    _ = try await bench.fill(noise(10))
    bench.clock.advance(.seconds(3600))
    let reopened = try await reopenAlone()
    #expect(try bench.blobs().isEmpty)
    let list = try await reopened.service().list(limit: nil, offset: nil)
    #expect(list.data.map(\.status) == [.expired])
  }

  @Test("the bytes of a cancelled session that a crash left are swept")
  func sweepOfCancelled() async throws {
    let opened = try await bench.fill(noise(10))
    let kept = try bench.blobs()
    _ = try await service.cancel(opened.session.id, key: nil)
    for (place, bytes) in kept { try put(bytes, place) }
    _ = try await reopenAlone()
    #expect(try bench.blobs().isEmpty)
  }

  @Test("a command that only looks sweeps nothing")
  func noSweep() async throws {
    try put(noise(5), "incoming/\(String(repeating: "0", count: 32))")
    _ = try await reopenAlone(sweeping: .never)
    #expect(try bench.blobs().count == 1)
  }

  /// Opens the store as a crash would have left it, log and all, in its place: a copy, which nobody else has open.
  private func reopenAlone(sweeping: LocalStore.Sweeping = .whenAlone) async throws -> LocalStore {
    try FileManager.default.moveItem(atPath: bench.directory, toPath: bench.origin)
    try FileManager.default.copyItem(atPath: bench.origin, toPath: bench.directory)
    return try await bench.reopen(sweeping: sweeping)
  }

  @Test("a store that is copied at any instant of a busy run opens with every completed file whole")
  func crashes() async throws {
    let runner = Task { [service, bench] in
      var number: UInt64 = 0
      while !Task.isCancelled {
        number += 1
        await withTaskGroup(of: Void.self) { group in
          for part in 0..<4 {
            let bytes = noise(2000, seed: number * 4 + UInt64(part))
            group.addTask {
              guard let opened = try? await bench.open(bytes, purpose: .knowledgeUser),
                (try? await service.upload(opened, BytesInMemory(bytes))) != nil
              else { return }
              if part == 3 {
                _ = try? await service.cancel(opened.session.id, key: nil)
              } else {
                _ = try? await service.complete(opened.session.id, md5: md5(bytes), key: nil)
              }
            }
          }
        }
      }
    }
    var completed = 0
    for round in 0..<4 {
      while try await service.list(limit: 1, offset: nil).totalCount < 16 * (round + 1) { await Task.yield() }
      completed += try await examineCopy("\(bench.directory)-crash\(round)")
    }
    runner.cancel()
    await runner.value
    #expect(completed > 40)
  }

  /// Copies the database before the blobs, as a disk may have them after a crash: a row never names a blob that
  /// came later. Gives how many completed files were found whole.
  private func examineCopy(_ copy: String) async throws -> Int {
    let manager = FileManager.default
    try manager.createDirectory(atPath: copy, withIntermediateDirectories: false)
    defer { try? manager.removeItem(atPath: copy) }
    // A snapshot by SQLite itself: the database and its log cannot be copied in one instant from outside.
    let source = try DatabaseQueue(path: database)
    try await source.writeWithoutTransaction {
      try $0.execute(sql: "VACUUM INTO ?", arguments: [copy + "/service.sqlite"])
    }
    try source.close()
    let marked = try DatabaseQueue(path: copy + "/service.sqlite")
    let named = try await marked.read { database in
      try String.fetchAll(database, sql: "SELECT blob FROM session WHERE status = 'COMPLETED'")
    }
    try marked.close()
    try manager.createDirectory(atPath: copy + "/incoming", withIntermediateDirectories: false)
    for number in 0..<256 {
      let shard = (number < 16 ? "0" : "") + String(number, radix: 16)
      try manager.createDirectory(atPath: copy + "/blobs/" + shard, withIntermediateDirectories: true)
      for name in try manager.contentsOfDirectory(atPath: "\(bench.directory)/blobs/\(shard)") {
        // A blob may be cancelled away under our hands; one that a completed session names may not.
        try? manager.copyItem(
          atPath: "\(bench.directory)/blobs/\(shard)/\(name)", toPath: "\(copy)/blobs/\(shard)/\(name)")
      }
    }
    let store = try await LocalStore.open(copy, clock: bench.clock.wallClock)
    let service = store.service()
    var whole = 0
    var offset = 0
    while true {
      let page = try await service.list(limit: nil, offset: offset)
      if page.data.isEmpty { break }
      for session in page.data where session.status == .completed {
        let bytes = try await service.bytes(of: session.id)
        #expect(bytes.count == 2000)
        whole += 1
      }
      offset += page.data.count
    }
    #expect(whole == named.count)
    // Nothing is left that belongs to nothing.
    let names = try manager.subpathsOfDirectory(atPath: copy + "/blobs").filter { $0.utf8.count > 2 }
    let rows = try DatabaseQueue(path: copy + "/service.sqlite")
    let living = try await rows.read {
      try String.fetchSet($0, sql: "SELECT blob FROM session WHERE blob NOT NULL")
    }
    #expect(Set(names.map { String($0.dropFirst(3)) }).subtracting(living).isEmpty)
    return whole
  }
}
