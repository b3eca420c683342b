import Foundation
import GRDB
import Testing

@Suite("kill -9")
struct KillTests {
  static let kills = Int(ProcessInfo.processInfo.environment["MOONTIDE_KILLS"] ?? "") ?? 20
  static let filesEach = 400

  @Test("at random moments of a run loses nothing, sends nothing twice, leaves nothing pending")
  func kills() async throws {
    let seed = UInt64.random(in: 1...UInt64.max)
    var random = SeededRandom(seed: seed)
    print("kill -9: \(Self.kills) kills over \(Self.filesEach) files a project, seed \(seed)")
    var done = 0
    while done < Self.kills {
      let sandbox = try Sandbox()
      for number in 1...Self.filesEach {
        let text = "file \(number) " + String(repeating: "x", count: 1000)
        try sandbox.write(text, to: "in/d\(number % 9)/\(number).txt")
      }
      try sandbox.write(
        "return { name = 'kill', discover = { root = 'in' }, settle = 0, completed = { move = 'sent' } }",
        to: "kill.lua")
      while done < Self.kills {
        let running = try sandbox.start("run", "kill.lua", "--quiet")
        // The moment is what is random here; nothing is waited for.
        try await Task.sleep(for: .milliseconds(Int.random(in: 1...400, using: &random)))
        running.kill()
        let run = try await running.finished()
        if run.status == 0 { break }
        #expect(run.status == -1, "seed \(seed): \(run)")
        done += 1
      }
      let last = try await sandbox.moontide("run", "kill.lua")
      #expect(last.status == 0, "seed \(seed): \(last)")
      try await check(sandbox, note: "seed \(seed), after \(done) kills")
    }
  }

  private func check(_ sandbox: Sandbox, note: String) async throws {
    let files = try await sandbox.files()
    #expect(files.filter { $0.status == "PENDING" }.isEmpty, "\(note)")
    let completed = files.filter { $0.status == "COMPLETED" }.map(\.filename)
    #expect(completed.count == Self.filesEach && Set(completed).count == Self.filesEach, "\(note)")
    let missing = (1...Self.filesEach).filter { !sandbox.has("sent/d\($0 % 9)/\($0).txt") }
    #expect(missing.isEmpty, "\(note)")
    for database in ["ledger.sqlite", "local/service.sqlite"] {
      let queue = try DatabaseQueue(path: sandbox.path(".moontide/" + database))
      let verdict = try await queue.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
      #expect(verdict == "ok", "\(note): \(database)")
    }
  }
}

/// Random numbers that a seed repeats (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
