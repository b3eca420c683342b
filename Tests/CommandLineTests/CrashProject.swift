import FileSessions
import Foundation
import GRDB
import LocalService
import Synchronization
import Testing

/// A project that `CrashChild` runs in, and what has to be true of it in the end.
struct CrashProject {
  let sandbox: Sandbox
  /// What may be sent under each name, the last of which has to be.
  private var contents: [String: [String]] = [:]
  private var removed: Set<String> = []

  /// More than two pieces of those in which the service reads.
  private static let big = String(repeating: "0123456789abcdef", count: 5 << 15)
  private static let recipe = """
    return {
      name = "crash", discover = { root = "in" }, settle = 0,
      accept = function(file)
        if file.name == "skipped.md" then return moontide.skip("of no interest") end
        if file.name == "bad.md" then return moontide.reject("never right") end
        return true
      end,
      completed = function(file, session)
        moontide.log.info("completed " .. session.id)
        local first = file:once("told", function()
          moontide.log.info("ran " .. file.path)
          return session.id
        end)
        moontide.store.set("last", first)
        moontide.fs.write("receipts/" .. session.id, file.name)
        return { move = "sent/" }
      end,
      failed = function(file)
        if not moontide.store.get("warned") then
          moontide.store.set("warned", true)
          error("it fails the first time")
        end
        return { move = "dead/" }
      end,
    }
    """

  init() throws {
    sandbox = try Sandbox()
    try write("content of a", to: "a.md")
    try write("content of b", to: "sub/b.md")
    try write(Self.big, to: "big.bin")
    try sandbox.write("content of changing", to: "in/changing.md")
    contents["changing.md"] = ["changing.md, changed"]
    for name in ["bad.md", "skipped.md"] { try sandbox.write("content of \(name)", to: "in/\(name)") }
    try sandbox.write(Self.recipe, to: "crash.lua")
  }

  // MARK: - What happens

  /// A run of it, to the end or to an instant.
  func run(crashAt point: String? = nil, recordIn record: String? = nil, transfers: Int = 1) async throws
    -> Finished
  {
    var arguments = [
      sandbox.root, sandbox.path("crash.lua"), "changing=changing.md", "transfers=\(transfers)",
    ]
    if let point { arguments.append("crash-at=\(point)") }
    if let record { arguments.append("record=\(record)") }
    let child = URL(fileURLWithPath: Running.executable).deletingLastPathComponent()
    return try await Running(
      arguments, in: sandbox.root, environment: [:],
      executable: child.appendingPathComponent("CrashChild").path
    ).finished()
  }

  /// The names of all instants of a run, in order.
  static func points() async throws -> [String] {
    let project = try CrashProject()
    let run = try await project.run(recordIn: project.sandbox.path("points"))
    try #require(run.status == 0, "\(run)")
    let text = try String(contentsOfFile: project.sandbox.path("points"), encoding: .utf8)
    return text.split(separator: "\n").map(String.init)
  }

  /// The user writes a file.
  mutating func write(_ text: String, to path: String) throws {
    try sandbox.write(text, to: "in/" + path)
    contents[String(path.split(separator: "/").last ?? ""), default: []].append(text)
  }

  /// The user removes a file, if it is still there.
  mutating func remove(_ path: String) throws {
    guard sandbox.has("in/" + path) else { return }
    try FileManager.default.removeItem(atPath: sandbox.path("in/" + path))
    removed.insert(String(path.split(separator: "/").last ?? ""))
  }

  /// The user corrects the recipe.
  func changeRecipe() throws { try sandbox.write(Self.recipe + "\n-- corrected", to: "crash.lua") }

  // MARK: - What has to be true

  /// Checks what was sent, and where the files are; after runs to the end.
  func check(_ note: String) async throws {
    let store = try await LocalStore.open(sandbox.path(".moontide/local"), sweeping: .never)
    let service = store.service()
    var completed: [String: [String]] = [:]
    var ids: [String] = []
    while case let page = try await service.list(limit: nil, offset: ids.count).data, !page.isEmpty {
      for session in page {
        ids.append(session.id)
        #expect(session.status != .pending, "\(note): \(session.filename)")
        guard session.status == .completed else { continue }
        let bytes = Mutex<[UInt8]>([])
        _ = try await service.download(session.id, range: nil) { piece in bytes.withLock { $0 += piece } }
        completed[session.filename, default: []].append(
          bytes.withLock { String(decoding: $0, as: UTF8.self) })
        #expect(journal.contains("completed \(session.id)"), "\(note): \(session.filename)")
      }
    }
    try await store.close()

    #expect(Set(completed.keys).isSubset(of: contents.keys), "\(note): \(completed.keys)")
    let sent = try FileManager.default.subpathsOfDirectory(atPath: sandbox.path("sent")).compactMap {
      try? String(contentsOfFile: sandbox.path("sent/" + $0), encoding: .utf8)
    }
    for (name, allowed) in contents {
      let there = completed[name] ?? []
      #expect(Set(there).count == there.count, "\(note): \(name) was sent twice")
      #expect(Set(there).isSubset(of: allowed), "\(note): \(name)")
      if let last = allowed.last, !removed.contains(name) {
        #expect(there.contains(last), "\(note): \(name) was not sent")
        #expect(sent.contains(last), "\(note): \(name) is lost")
      }
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: sandbox.path("in")).sorted() == [
        "skipped.md", "sub",
      ])
    #expect(sandbox.has("dead/bad.md"), "\(note)")
    checkJournal(note)
    for database in ["ledger.sqlite", "local/service.sqlite"] {
      let queue = try DatabaseQueue(path: sandbox.path(".moontide/" + database))
      let verdict = try await queue.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
      #expect(verdict == "ok", "\(note): \(database)")
    }
  }

  private var journal: [String] {
    let text = (try? String(contentsOfFile: sandbox.path("journal"), encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  /// What was recorded as done once was not done again.
  private func checkJournal(_ note: String) {
    var recorded: Set<Substring> = []
    for line in journal {
      let words = line.split(separator: " ", maxSplits: 1)
      guard words.count == 2 else { continue }
      if words[0] == "recorded" { recorded.insert(words[1]) }
      if words[0] == "ran" { #expect(!recorded.contains(words[1]), "\(note): \(words[1]) ran again") }
    }
  }
}
