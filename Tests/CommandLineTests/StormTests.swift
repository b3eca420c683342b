import FileSessions
import Foundation
import LocalService
import Synchronization
import Testing

/// `kill -9` again and again while another program adds, changes and removes files.
@Suite("A storm of kill -9", .timeLimit(.minutes(60)))
struct StormTests {
  private static func number(_ name: String, else usual: Int) -> Int {
    Int(ProcessInfo.processInfo.environment[name] ?? "") ?? usual
  }

  private static let kills = number("MOONTIDE_STORM_KILLS", else: 8)
  private static let files = number("MOONTIDE_STORM_FILES", else: 300)

  /// Below `in/once` it only adds files, which are moved when they are sent. Below `in/kept` it adds, replaces, adds
  /// to and removes them; no two contents are the same.
  private static let mutator = """
    set -eu
    files=$1 RANDOM=$2 number=0
    while [ ! -e stop ]; do
      number=$((number + 1))
      n=$((RANDOM % files + 1))
      case $((RANDOM % 7)) in
        0 | 1) echo "once $number, added" >in/once/later-$number.txt.part
          mv in/once/later-$number.txt.part in/once/later-$number.txt ;;
        2 | 3) echo "kept $n, version $number" >in/kept/$n.txt.part
          mv in/kept/$n.txt.part in/kept/$n.txt ;;
        4 | 5) echo "kept $n, line $number" >>in/kept/$n.txt ;;
        *) rm -f in/kept/$n.txt ;;
      esac
      sleep 0.01
    done
    echo $number >changes
    """

  private static let recipe = """
    return {
      name = "storm", discover = { root = "in" }, settle = 0,
      rename = function(file) return (file.relative:gsub("/", "--")) end,
      completed = function(file)
        if file.relative:find("^once/") then return { move = "sent" } end
      end,
    }
    """

  @Test("loses nothing, sends no content twice, and leaves nothing pending")
  func storm() async throws {
    let seed = UInt64.random(in: 1...UInt64.max)
    var random = SeededRandom(seed: seed)
    let sandbox = try Sandbox()
    for number in 1...Self.files {
      let isKept = number % 5 != 0
      let path = isKept ? "in/kept/\(number).txt" : "in/once/\(number).txt"
      try sandbox.write("file \(number)\n", to: path)
    }
    try sandbox.write(Self.recipe, to: "storm.lua")
    let mutator = try Child(
      "/bin/bash", ["-c", Self.mutator, "bash", "\(Self.files)", "\(seed % 32768)"], in: sandbox.root,
      environment: ProcessInfo.processInfo.environment)
    var (killed, watching) = (0, 0)
    while killed < Self.kills {
      let isWatch = Int.random(in: 0..<3, using: &random) == 0
      let words = ["run", "storm.lua", "--quiet"] + (isWatch ? ["--watch"] : [])
      let running = try Running(words, in: sandbox.root, environment: [:])
      // The moment is what is random here; nothing is waited for.
      try await Task.sleep(for: .milliseconds(Int.random(in: 50...1200, using: &random)))
      running.kill()
      let run = try await running.finished()
      // A file may go just when it is looked at, which a run says with status 1.
      #expect([-1, 0, 1].contains(run.status), "seed \(seed): \(run)")
      if run.status == -1 {
        killed += 1
        if isWatch { watching += 1 }
      }
    }
    try sandbox.write("", to: "stop")
    #expect(await mutator.ended() == 0)
    let last = try await sandbox.moontide("run", "storm.lua")
    #expect(last.status == 0, "seed \(seed): \(last.lastLine)")
    let again = try await sandbox.moontide("run", "storm.lua")
    #expect(again.status == 0 && again.lastLine.contains(" 0 sent"), "seed \(seed): \(again.lastLine)")
    let figures = try await check(sandbox, "seed \(seed)")
    let changes = try String(contentsOfFile: sandbox.path("changes"), encoding: .utf8).filter(\.isNumber)
    print(
      "storm: \(killed) kills, \(watching) of them of a watching run; \(changes) changes meanwhile; \(figures); seed \(seed)"
    )
  }

  private func check(_ sandbox: Sandbox, _ note: String) async throws -> String {
    let store = try await LocalStore.open(sandbox.path(".moontide/local"), sweeping: .never)
    let service = store.service()
    var contents: [String: [String]] = [:]
    var (count, completed) = (0, 0)
    while case let page = try await service.list(limit: nil, offset: count).data, !page.isEmpty {
      count += page.count
      for session in page {
        #expect(session.status != .pending, "\(note): \(session.filename)")
        guard session.status == .completed else { continue }
        completed += 1
        let bytes = Mutex<[UInt8]>([])
        _ = try await service.download(session.id, range: nil) { piece in bytes.withLock { $0 += piece } }
        contents[session.filename, default: []].append(bytes.withLock { String(decoding: $0, as: UTF8.self) })
      }
    }
    try await store.close()
    for (name, versions) in contents {
      #expect(Set(versions).count == versions.count, "\(note): \(name) was sent twice with one content")
    }
    var stayed = 0
    for directory in ["in/kept", "sent/once"] {
      for name in try FileManager.default.contentsOfDirectory(atPath: sandbox.path(directory)) {
        stayed += 1
        let content = try String(contentsOfFile: sandbox.path("\(directory)/\(name)"), encoding: .utf8)
        let sent = contents[(directory == "in/kept" ? "kept--" : "once--") + name] ?? []
        #expect(sent.contains(content), "\(note): \(directory)/\(name) as it stayed was not sent")
      }
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: sandbox.path("in/once"))
    #expect(left.isEmpty, "\(note): \(left)")
    return
      "\(completed) completed sessions of \(contents.count) files, \(count - completed) given up; \(stayed) files stayed"
  }
}
