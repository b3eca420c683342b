import Foundation
import GRDB
import SQLiteStore
import Testing

/// A directory of its own that goes with its owner.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path() + "/moontide-store-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Every file's bytes by name.
  func content() throws -> [String: Data] {
    var content: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: path) {
      content[name] = try Data(contentsOf: URL(filePath: path + "/" + name))
    }
    return content
  }
}

@Suite("A durable SQLite store")
struct SQLiteStoreTests {
  private let directory: TemporaryDirectory
  private let path: String
  private struct Refusal: Error, Equatable { var number: Int }

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path + "/store.sqlite"
  }

  private func migrator(steps: Int = 1) -> DatabaseMigrator {
    var migrator = DatabaseMigrator()
    for step in 1...steps {
      migrator.registerMigration("step \(step)") { database in
        try database.execute(sql: "CREATE TABLE item\(step) (number INTEGER PRIMARY KEY, note TEXT) STRICT")
      }
    }
    return migrator
  }

  private func open(id: Int32 = 77, steps: Int = 1) throws -> SQLiteStore {
    try SQLiteStore(path: path, applicationID: id, migrator: migrator(steps: steps))
  }

  private func numbers(_ store: SQLiteStore) async throws -> [Int] {
    try await store.read { try Int.fetchAll($0, sql: "SELECT number FROM item1 ORDER BY number") }
  }

  /// What opening fails with, after a look that nothing in the directory has changed.
  private func refusalThatTouchesNothing(id: Int32 = 77, steps: Int = 1) throws -> StoreError? {
    let before = try directory.content()
    let error = #expect(throws: StoreError.self) { try open(id: id, steps: steps) }
    #expect(try directory.content() == before)
    return error
  }

  @Test("what was written is read back, also by another opening")
  func roundTrip() async throws {
    let store = try open()
    try await store.write { try $0.execute(sql: "INSERT INTO item1 VALUES (1, 'x')") }
    #expect(try await numbers(store) == [1])
    #expect(try await numbers(try open()) == [1])
  }

  @Test("nobody else can read it or its log, also one that others could read")
  func modes() async throws {
    func found() throws -> [String: Int] {
      let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
      return try Dictionary(
        uniqueKeysWithValues: names.map { name in
          let attributes = try FileManager.default.attributesOfItem(atPath: directory.path + "/" + name)
          return (name, (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0)
        })
    }
    let name = URL(filePath: path).lastPathComponent
    let all = [name: 0o600, name + "-wal": 0o600, name + "-shm": 0o600]
    let store = try open()
    try await store.write { try $0.execute(sql: "INSERT INTO item1 VALUES (1, NULL)") }
    #expect(try found() == all)
    for file in all.keys {
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o644], ofItemAtPath: directory.path + "/" + file)
    }
    let again = try open()
    #expect(try found() == all)
    #expect(try await numbers(again) == [1])
  }

  @Test("of writes at the same time one that fails is rolled back alone")
  func failureIsAlone() async throws {
    let store = try open()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask {
          do {
            try await store.write { database in
              try database.execute(sql: "INSERT INTO item1 VALUES (?, NULL)", arguments: [number])
              if number % 3 == 0 { throw Refusal(number: number) }
            }
            #expect(number % 3 != 0)
          } catch let refusal as Refusal {
            #expect(refusal.number == number)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await numbers(store) == (0..<200).filter { $0 % 3 != 0 })
  }

  @Test("when there is no room, what was answered with success is there and nothing else")
  func full() async throws {
    let store = try open()
    try await store.write { try $0.execute(sql: "PRAGMA max_page_count = 40") }
    let succeeded = try await withThrowingTaskGroup(of: Int?.self) { group in
      for number in 0..<200 {
        group.addTask {
          do {
            // Every other one is small enough to fit where a large one did not.
            let note = String(repeating: "n", count: number % 2 == 0 ? 9000 : 10)
            try await store.write {
              try $0.execute(sql: "INSERT INTO item1 VALUES (?, ?)", arguments: [number, note])
            }
            return number
          } catch let error as DatabaseError {
            #expect(error.resultCode == .SQLITE_FULL)
            return nil
          }
        }
      }
      return try await group.reduce(into: [Int]()) { if let number = $1 { $0.append(number) } }
    }
    #expect(!succeeded.isEmpty && succeeded.count < 200)
    #expect(try await numbers(store) == succeeded.sorted())
  }

  @Test("writes at the same time share commits")
  func groupCommit() async throws {
    let store = try open()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<300 {
        group.addTask {
          try await store.write {
            try $0.execute(sql: "INSERT INTO item1 VALUES (?, NULL)", arguments: [number])
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await numbers(store).count == 300)
    // A frame of the log that ends a commit has the database's size in its second word.
    let log = [UInt8](try Data(contentsOf: URL(filePath: path + "-wal")))
    let pageSize = try await store.read { try Int.fetchOne($0, sql: "PRAGMA page_size") ?? 0 }
    let commits = stride(from: 32, to: log.count, by: 24 + pageSize).filter {
      log[($0 + 4)..<($0 + 8)].contains { $0 != 0 }
    }
    #expect((1..<250).contains(commits.count))
  }

  @Test("a write that was answered is synchronous to the disk")
  func synchronous() async throws {
    let store = try open()
    let level = try await store.write { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
    #expect(level == 2)
    let mode = try await store.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") }
    #expect(mode == "wal")
  }

  @Test("two stores write one file at the same time")
  func twoStores() async throws {
    let stores = [try open(), try open()]
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask {
          try await stores[number % 2].write {
            try $0.execute(sql: "INSERT INTO item1 VALUES (?, NULL)", arguments: [number])
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await numbers(stores[0]).count == 200)
  }

  @Test("a reader sees what is there and needs a database to be there")
  func reading() async throws {
    #expect(throws: StoreError.self) {
      _ = try SQLiteStore.reading(path: path, applicationID: 77, migrator: migrator())
    }
    #expect(try directory.content().isEmpty)
    let store = try open()
    try await store.write { try $0.execute(sql: "INSERT INTO item1 VALUES (5, NULL)") }
    let reader = try SQLiteStore.reading(path: path, applicationID: 77, migrator: migrator())
    #expect(try await reader.read { try Int.fetchOne($0, sql: "SELECT number FROM item1") } == 5)
  }

  @Test("a log that a crash left stays too, when the database is refused")
  func log() async throws {
    let store = try open(steps: 2)
    try await store.write { try $0.execute(sql: "INSERT INTO item1 VALUES (1, NULL)") }
    // The copy is what a crash leaves: a log that nobody has folded in.
    let crashed = try TemporaryDirectory()
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(atPath: path + suffix, toPath: crashed.path + "/store.sqlite" + suffix)
    }
    let before = try crashed.content()
    let error = #expect(throws: StoreError.self) {
      _ = try SQLiteStore(
        path: crashed.path + "/store.sqlite", applicationID: 77, migrator: migrator(steps: 1))
    }
    #expect(error?.code == .newer)
    // SQLite's index of the log is no part of the database: it is made anew whenever it is missing.
    #expect(try crashed.content().filter { !$0.key.hasSuffix("-shm") } == before)
  }

  @Test("a path with characters that mean something in a URI is a path", arguments: ["a%20b?c#d", "ü 漢"])
  func oddPath(name: String) async throws {
    let odd = directory.path + "/" + name
    for _ in 0..<2 {
      let store = try SQLiteStore(path: odd, applicationID: 77, migrator: migrator())
      try await store.write { try $0.execute(sql: "INSERT OR REPLACE INTO item1 VALUES (1, NULL)") }
      try store.close()
    }
    #expect(try directory.content().keys.sorted() == [name])
    #expect(throws: StoreError.self) {
      _ = try SQLiteStore(path: odd, applicationID: 78, migrator: migrator())
    }
  }

  @Test("a newer version's database is refused and stays as it was")
  func newer() throws {
    try open(steps: 2).close()
    let error = try refusalThatTouchesNothing(steps: 1)
    #expect(error?.code == .newer)
    #expect(error?.message.contains("newer version") == true)
  }

  @Test("an older version's database is brought up to date")
  func older() async throws {
    let before = try open(steps: 1)
    try await before.write { try $0.execute(sql: "INSERT INTO item1 VALUES (1, NULL)") }
    let after = try open(steps: 2)
    #expect(try await after.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM item2") } == 0)
    #expect(try await numbers(after) == [1])
  }

  @Test("another kind of database is refused and stays as it was")
  func foreign() throws {
    try open(id: 78).close()
    #expect(try refusalThatTouchesNothing(id: 77)?.code == .foreign)
  }

  @Test("another program's database is refused and stays as it was")
  func unmarked() throws {
    let queue = try DatabaseQueue(path: path)
    try queue.write { try $0.execute(sql: "CREATE TABLE theirs (a)") }
    try queue.close()
    #expect(try refusalThatTouchesNothing()?.code == .foreign)
  }

  @Test("a file that is no database is refused and stays as it was")
  func garbage() throws {
    try Data((0..<9000).map { UInt8($0 % 251) }).write(to: URL(filePath: path))
    let error = try refusalThatTouchesNothing()
    #expect(error?.code == .damaged)
    #expect(error?.path == path)
    #expect(error?.message.contains("Restore it from a backup") == true)
  }

  @Test("a database that was cut short is refused and stays as it was", arguments: [1, 2, 3])
  func truncated(pages: Int) async throws {
    try await fill()
    let whole = try Data(contentsOf: URL(filePath: path))
    try #require(whole.count > 4 * 4096)
    try whole.prefix(pages * 4096 + 100).write(to: URL(filePath: path))
    #expect(try refusalThatTouchesNothing()?.code == .damaged)
  }

  @Test("a database with a page of noise is refused and stays as it was")
  func noise() async throws {
    try await fill()
    var bytes = try Data(contentsOf: URL(filePath: path))
    for offset in (2 * 4096)..<(bytes.count) { bytes[offset] = UInt8(truncatingIfNeeded: offset &* 31) }
    try bytes.write(to: URL(filePath: path))
    #expect(try refusalThatTouchesNothing()?.code == .damaged)
  }

  /// Makes a database of many pages without a log beside it.
  private func fill() async throws {
    let store = try open()
    try await store.write { database in
      for number in 0..<500 {
        try database.execute(
          sql: "INSERT INTO item1 VALUES (?, ?)", arguments: [number, String(repeating: "n", count: 100)])
      }
    }
    try store.close()
  }
}
