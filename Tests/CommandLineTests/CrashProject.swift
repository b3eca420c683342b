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
      name = "crash", discover = { root = "in" }, settle = 0, dedupe = "content",
      accept = function(file)
        if file.name == "skipped.md" then return moontide.skip("of no interest") end
        if file.name == "bad.md" then return moontide.reject("never right") end
        return true
      end,
      prepare = function(file, work)
        if file.stem == "made" then return moontide.fs.write(work .. "/made.txt", "made of " .. file:read()) end
        if file.stem ~= "book" then return end
        local paths = {}
        for line in file:lines() do
          moontide.log.info("instant amid prepare")
          paths[#paths + 1] = moontide.fs.write(work .. "/book~" .. #paths + 1 .. ".txt", line)
        end
        moontide.log.info("instant amid prepare")
        return paths
      end,
      completed = function(file, session)
        moontide.log.info("completed " .. session.id)
        local first = file:once("told", function()
          moontide.log.info("ran " .. file.path .. (file.stem == "book" and "/" .. file.prepared.name or ""))
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
    try write("chapter one\nchapter two", to: "book.txt")
    try write("made.txt", to: "made.txt")
    for name in Self.twins { try sandbox.write("content of twins", to: "in/" + name) }
    try sandbox.write("content of changing", to: "in/changing.md")
    contents["changing.md"] = ["changing.md, changed"]
    for name in ["bad.md", "skipped.md"] { try sandbox.write("content of \(name)", to: "in/\(name)") }
    try sandbox.write(Self.recipe, to: "crash.lua")
  }

  /// Files with the same content, one of which is sent.
  private static let twins = ["twin-1.md", "twin-2.md"]

  /// The names and contents that a file arrives with.
  private static func made(of name: String, _ text: String) -> [(name: String, text: String)] {
    switch name {
    case "book.txt":
      text.split(separator: "\n").enumerated().map { ("book~\($0 + 1).txt", String($1)) }
    case "made.txt": [(name, "made of " + text)]
    default: [(name, text)]
    }
  }

  // MARK: - What happens

  /// A run of it, to the end or to an instant.
  ///
  /// - Parameter isRetrying: what failed is asked to be tried again.
  func run(
    crashAt point: String? = nil, recordIn record: String? = nil, transfers: Int = 1,
    isRetrying: Bool = false
  ) async throws -> Finished {
    var arguments = [
      sandbox.root, sandbox.path("crash.lua"), "changing=changing.md", "transfers=\(transfers)",
    ]
    if isRetrying { arguments.append("retrying=yes") }
    if let point { arguments.append("crash-at=\(point)") }
    if let record { arguments.append("record=\(record)") }
    let child = URL(fileURLWithPath: Running.executable).deletingLastPathComponent()
    return try await Running(
      arguments, in: sandbox.root, environment: [:],
      executable: child.appendingPathComponent("CrashChild").path
    ).finished()
  }

  /// A project that was run to the end, with a file that has failed.
  static func finished() async throws -> CrashProject {
    let project = try CrashProject()
    for _ in 1...2 { try #require(try await project.run().status == 0) }
    return project
  }

  /// The names of all instants of a run, in order.
  static func points(isRetrying: Bool = false) async throws -> [String] {
    let project = try await isRetrying ? finished() : CrashProject()
    let run = try await project.run(recordIn: project.sandbox.path("points"), isRetrying: isRetrying)
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

    let twins = Self.twins.flatMap { completed.removeValue(forKey: $0) ?? [] }
    #expect(twins == ["content of twins"], "\(note)")
    let names = contents.flatMap { name, texts in texts.flatMap { Self.made(of: name, $0).map(\.name) } }
    #expect(Set(completed.keys).isSubset(of: names), "\(note): \(completed.keys)")
    let sent = try FileManager.default.subpathsOfDirectory(atPath: sandbox.path("sent")).compactMap {
      try? String(contentsOfFile: sandbox.path("sent/" + $0), encoding: .utf8)
    }
    for (name, texts) in contents {
      let allowed = texts.map { Self.made(of: name, $0) }
      for piece in Set(allowed.joined().map(\.name)) {
        let there = completed[piece] ?? []
        #expect(Set(there).count == there.count, "\(note): \(piece) was sent twice")
        #expect(
          Set(there).isSubset(of: allowed.joined().filter { $0.name == piece }.map(\.text)),
          "\(note): \(piece)")
      }
      guard let last = texts.last, !removed.contains(name) else { continue }
      for piece in Self.made(of: name, last) {
        #expect(completed[piece.name]?.contains(piece.text) == true, "\(note): \(piece.name) was not sent")
      }
      #expect(sent.contains(last), "\(note): \(name) is lost")
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: sandbox.path("in")).sorted()
    #expect(
      Self.twins.map { ["skipped.md", "sub", $0] }.contains(left) && sent.contains("content of twins"),
      "\(note): \(left)")
    let work = (try? FileManager.default.subpathsOfDirectory(atPath: sandbox.path(".moontide/work"))) ?? []
    #expect(work.allSatisfy { !$0.contains("/") }, "\(note): \(work)")
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
