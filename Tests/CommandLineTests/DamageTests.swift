import Foundation
import GRDB
import Testing

/// A page of the ledger is overwritten; what `docs/operating.md` says is done then.
@Suite("A damaged ledger")
struct DamageTests {
  private static let files = 150

  /// A project with files that were sent, whose ledger is damaged then.
  private func damaged() async throws -> Sandbox {
    let sandbox = try Sandbox()
    for number in 1...Self.files { try sandbox.write("content \(number)", to: "in/\(number).md") }
    try sandbox.write("return { name = 'd', discover = { root = 'in' }, settle = 0 }", to: "d.lua")
    let run = try await sandbox.moontide("run", "d.lua")
    #expect(run.status == 0 && run.lastLine.contains("\(Self.files) sent"), "\(run.lastLine)")
    let export = try await sandbox.moontide("jobs", "export", "backup.jsonl")
    #expect(export.status == 0, "\(export)")
    try await damage(sandbox)
    return sandbox
  }

  /// - Parameter table: whose first page is overwritten; nil: that in the middle of the file.
  private func damage(_ sandbox: Sandbox, _ table: String? = nil) async throws {
    // What is in the log beside it would cover the damage.
    let queue = try DatabaseQueue(path: sandbox.path(".moontide/ledger.sqlite"))
    let root = try await queue.writeWithoutTransaction { database in
      _ = try database.checkpoint(.truncate)
      return try UInt64.fetchOne(
        database, sql: "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = ?",
        arguments: [table])
    }
    try queue.close()
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: sandbox.path(".moontide/ledger.sqlite")))
    let pages = try handle.seekToEnd() / 4096
    try #require(table == nil || root != nil)
    try handle.seek(toOffset: (root.map { $0 - 1 } ?? pages / 2) * 4096)
    try handle.write(contentsOf: Data(repeating: 0xA5, count: 4096))
    try handle.close()
  }

  @Test("is named with what to do about it, by every command, and is left as it is")
  func error() async throws {
    let sandbox = try await damaged()
    let before = try Data(contentsOf: URL(fileURLWithPath: sandbox.path(".moontide/ledger.sqlite")))
    for words in [
      ["run", "d.lua"], ["status"], ["jobs", "list"], ["why", "in/1.md"], ["adopt", "d.lua", "--yes"],
    ] {
      let command = try await Running(words, in: sandbox.root, environment: [:]).finished()
      #expect(command.status == 2, "\(words): \(command)")
      for part in ["ledger.sqlite is damaged", "Restore it from a backup"] {
        #expect(command.errors.contains(part), "\(words): \(command)")
      }
    }
    let after = try Data(contentsOf: URL(fileURLWithPath: sandbox.path(".moontide/ledger.sqlite")))
    #expect(before == after)
    #expect(try await sandbox.files().count == Self.files)
  }

  @Test("is replaced as the page on operating says, and nothing is sent again", arguments: Way.possible)
  func wayForward(way: Way) async throws {
    let sandbox = try await damaged()
    switch way {
    case .backup:
      try await sandbox.shell("mkdir damaged && mv .moontide/ledger.sqlite* damaged/")
      let imported = try await sandbox.moontide("jobs", "import", "backup.jsonl")
      #expect(imported.status == 0, "\(imported)")
    case .adoption:
      try await sandbox.shell("mkdir damaged && mv .moontide/ledger.sqlite* damaged/")
      let adopted = try await sandbox.moontide("adopt", "d.lua", "--yes")
      #expect(adopted.status == 0, "\(adopted)")
    case .rescue:
      try await sandbox.shell(try Self.rescue)
    }
    let run = try await sandbox.moontide("run", "d.lua")
    #expect(run.status == 0 && run.lastLine.contains("\(Self.files) found, 0 sent"), "\(run.lastLine)")
    try sandbox.write("new", to: "in/new.md")
    let next = try await sandbox.moontide("run", "d.lua")
    #expect(
      next.status == 0 && next.lastLine.contains("1 sent, \(Self.files) already done"), "\(next.lastLine)")
    #expect(try await sandbox.files().count == Self.files + 1)
  }

  @Test(
    "is saved as the page says whichever table is lost, and what was moved or copied is not sent again",
    .enabled(if: Way.possible.contains(.rescue)),
    arguments: ["jobs", "sent", "traces", "grdb_migrations"])
  func anyTable(table: String) async throws {
    let sandbox = try Sandbox()
    let ways = ["move": "move = 'in/done'", "copy": "copy = 'in/copies'"]
    for (name, way) in ways {
      for number in 1...20 { try sandbox.write("\(name) \(number)", to: "in/\(name)-\(number).md") }
      try sandbox.write(
        """
        return { name = '\(name)', discover = { root = 'in', include = { '**/\(name)-*' } }, settle = 0,
          completed = { \(way) } }
        """, to: "\(name).lua")
      let run = try await sandbox.moontide("run", "\(name).lua")
      #expect(run.status == 0 && run.lastLine.contains("20 sent"), "\(run)")
    }
    try await damage(sandbox, table)
    #expect(try await sandbox.moontide("run", "move.lua").errors.contains("is damaged"))
    try await sandbox.shell(try Self.rescue)
    for name in ways.keys {
      let run = try await sandbox.moontide("run", "\(name).lua")
      #expect(run.status == 0 && run.lastLine.contains(" 0 sent"), "\(name): \(run)")
    }
    #expect(try await sandbox.files().count == 40)
  }

  @Test("is saved with each step that its tables went through")
  func steps() throws {
    let schema = try String(
      contentsOfFile: Repository.path("Sources/SQLiteLedger/LedgerSchema.swift"), encoding: .utf8)
    let names = schema.matches(of: /registerMigration\("([^"]+)"\)/).map { "('\($0.1)')" }
    #expect(!names.isEmpty)
    #expect(try Self.rescue.contains("VALUES \(names.joined(separator: ", "))"))
  }

  enum Way {
    case backup, adoption, rescue

    static var possible: [Way] {
      if FileManager.default.isExecutableFile(atPath: "/usr/bin/sqlite3") {
        return [.backup, .adoption, .rescue]
      }
      print("skipped: no ledger is saved with sqlite3, since there is no /usr/bin/sqlite3")
      return [.backup, .adoption]
    }
  }

  /// The commands of the page, as a person copies them.
  private static var rescue: String {
    get throws {
      let text = try String(contentsOfFile: Repository.path("docs/operating.md"), encoding: .utf8)
      let chapter = try #require(text.components(separatedBy: "## A damaged ledger").last)
      let block = try #require(chapter.components(separatedBy: "```sh\n").dropFirst().first)
      return try #require(block.components(separatedBy: "```").first)
    }
  }
}

extension Sandbox {
  /// Runs a shell script in the project, and takes for granted that it succeeds.
  func shell(_ script: String) async throws {
    let child = try Child(
      "/bin/bash", ["-e", "-c", script], in: root, environment: ProcessInfo.processInfo.environment)
    #expect(await child.ended() == 0, "\(script)")
  }
}
