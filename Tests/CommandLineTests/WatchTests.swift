import Foundation
import Testing

@Suite("run --watch", .timeLimit(.minutes(30)))
struct WatchTests {
  private static func number(_ name: String, else usual: Int) -> Int {
    Int(ProcessInfo.processInfo.environment[name] ?? "") ?? usual
  }

  private static let files = number("MOONTIDE_WATCH_FILES", else: 300)
  private static let seconds = number("MOONTIDE_WATCH_SECONDS", else: 6)

  /// Writes files in pieces, several at a time. By their number they stay, get their name at the end, come from
  /// elsewhere, are moved on, are removed in the end, or never finished.
  private static let writer = """
    set -eu
    count=$1 pause=$2
    finish() {
      local i=$1 d=in/d$(($1 % 7))
      printf 'end\\n' >>"$f"
      case $((i % 6)) in
        1) mv "$f" "$d/$i.txt" ;;
        2) mv "$f" "$d/$i.txt" ;;
        3) [ -d in/on/$((i % 5)) ] || mkdir -p in/on/$((i % 5)); mv "$f" "in/on/$((i % 5))/$i.txt" ;;
        4) rm "$f" ;;
      esac
    }
    place() {
      local i=$1 d=in/d$(($1 % 7))
      [ -d "$d" ] || mkdir -p "$d"
      case $((i % 6)) in
        0 | 3 | 4) f=$d/$i.txt ;;
        1 | 5) f=$d/$i.txt.part ;;
        2) f=aside/$i.txt ;;
      esac
    }
    for ((i = 1; i <= count + 3; i++)); do
      for ((j = i > 3 ? i - 3 : 1; j <= i && j <= count; j++)); do
        place $j
        printf 'file %s piece %s %*s\\n' $j $((i - j)) $((j % 97)) x >>"$f"
        if ((i - j == 3)); then finish $j; fi
      done
      sleep $pause
    done
    """

  /// What the writer leaves, as name and content.
  private static var expected: [String: String] {
    var expected: [String: String] = [:]
    for number in 1...files where number % 6 < 4 {
      let directory = number % 6 == 3 ? "on/\(number % 5)" : "d\(number % 7)"
      let padded = String(repeating: " ", count: max(number % 97 - 1, 0)) + "x"
      let pieces = (0...3).map { "file \(number) piece \($0) \(padded)\n" }.joined()
      expected["\(directory)/\(number).txt".replacing("/", with: "--")] = pieces + "end\n"
    }
    return expected
  }

  @Test(
    "sends exactly the files that stay, whole and once, while another process writes, renames, moves and removes"
  )
  func writes() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("", to: "in/keep.bin")
    try sandbox.write("", to: "aside/keep.bin")
    try sandbox.write(
      """
      return {
        name = "watched", discover = { root = "in", include = "**/*.txt" }, rescan = "10m",
        rename = function(f) return (f.relative:gsub("/", "--")) end,
        completed = function(f) moontide.fs.write("seen/" .. f.job, "") end,
      }
      """, to: "watched.lua")
    let watching = try sandbox.start("run", "watched.lua", "--watch", "--quiet")
    let pause = Double(Self.seconds) / Double(Self.files)
    print("watch: \(Self.files) files in \(Self.seconds) s (MOONTIDE_WATCH_FILES, MOONTIDE_WATCH_SECONDS)")
    try await sandbox.bash(Self.writer, "\(Self.files)", String(format: "%.4f", pause))
    let expected = Self.expected
    try await sandbox.appears(expected.count, in: "seen")
    let descriptors = watching.descriptors()
    watching.terminate()
    let run = try await watching.finished()
    #expect(run.status == 0, "\(run)")
    #expect(run.output.isEmpty, "nothing went wrong: \(run.output)")
    #expect((1..<100).contains(descriptors), "\(descriptors) descriptors")

    let files = try await sandbox.files()
    #expect(files.count == expected.count && files.allSatisfy { $0.status == "COMPLETED" })
    #expect(Set(files.map(\.filename)) == Set(expected.keys))
    for file in files {
      #expect(file.sizeBytes == Int64(expected[file.filename]?.utf8.count ?? -1), "\(file.filename)")
    }
    for file in files.prefix(20) {
      #expect(try await sandbox.moontide("files", "download", file.id).output == expected[file.filename])
    }
    let rest = try await sandbox.moontide("run", "watched.lua")
    #expect(rest.lastLine.contains(" 0 sent, \(expected.count) already done"), "\(rest.lastLine)")
  }

  @Test("misses nothing when more happens at once than the kernel remembers")
  func overflow() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/first.md")
    try sandbox.write(
      "return { name = 'o', discover = 'in/**/*.md', settle = 0, rescan = '1h' }", to: "o.lua")
    let watching = try sandbox.start("run", "o.lua", "--watch")
    try await watching.says("o: 1 found")
    let limit = try String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
    let most = try #require(Int(limit.trimmingCharacters(in: .whitespacesAndNewlines)))
    watching.signal(SIGSTOP)
    // Each makes two events; those that matter come last, in a directory that is new.
    for number in 0...(most / 2) { try sandbox.write("", to: "in/\(number).tmp") }
    for number in 0..<20 { try sandbox.write("\(number)", to: "in/new/\(number).md") }
    watching.signal(SIGCONT)
    try await watching.says("sent      in/new/", times: 20)
    try sandbox.write("later", to: "in/new/later.md")
    try await watching.says("sent      in/new/later.md")
    watching.terminate()
    let run = try await watching.finished()
    #expect(run.status == 0 && run.lastLine.contains("22 sent"), "\(run)")
  }

  @Test("loads a changed recipe or module anew, leaves the last good one running, and does both on SIGHUP")
  func reload() async throws {
    let sandbox = try Sandbox()
    func recipe(_ line: String) -> String {
      """
      local names = require "names"
      return { name = "r", discover = "in/*.md", settle = 0, rename = function(f)
        moontide.fs.write("version-" .. names.prefix, "")
        return names.prefix .. f.name
      end, \(line) }
      """
    }
    try sandbox.write("return { prefix = 'one-' }", to: "names.lua")
    try sandbox.write(recipe(""), to: "r.lua")
    try sandbox.write("a", to: "in/a.md")
    let watching = try sandbox.start("run", "r.lua", "--watch")
    try await sandbox.appears("version-one-")
    try sandbox.write("return { prefix = 'two-' }", to: "names.lua")
    try await watching.says("r.lua is loaded anew")
    try sandbox.write("b", to: "in/b.md")
    try await sandbox.appears("version-two-")

    try sandbox.write("this is no Lua", to: "r.lua")
    try await watching.says("the last version of it goes on")
    try sandbox.write("c", to: "in/c.md")
    try sandbox.write("return { prefix = 'three-' }", to: "names.lua")
    try sandbox.write(recipe("purpose = 'email_attachment'"), to: "r.lua")
    watching.signal(SIGHUP)
    try await watching.says("r.lua is loaded anew", times: 2)
    try sandbox.write("d", to: "in/d.md")
    try await sandbox.appears("version-three-")
    watching.terminate()
    let run = try await watching.finished()
    #expect(run.status == 0, "\(run)")
    let names = try await sandbox.files().map(\.filename)
    #expect(names.count == Set(names).count)
    #expect(Set(names).isSuperset(of: ["one-a.md", "two-b.md"]), "\(names)")
  }

  @Test("names the root that is missing, waits for it, and ends with status 130 on Ctrl-C")
  func missingRoot() async throws {
    let sandbox = try Sandbox()
    try sandbox.write("return { name = 'r', discover = { root = 'in' }, settle = 0 }", to: "r.lua")
    let once = try await sandbox.moontide("run", "r.lua")
    #expect(once.status == 1 && once.output.contains("\"in\""), "\(once)")
    let watching = try sandbox.start("run", "r.lua", "--watch")
    try await watching.says("it is waited for")
    try sandbox.write("a", to: "in/a.md")
    try await watching.says("sent      in/a.md")
    watching.interrupt()
    let run = try await watching.finished()
    #expect(run.status == 130, "\(run)")
    #expect(try await sandbox.files().count == 1)
  }
}

extension Sandbox {
  /// Runs a bash script in the sandbox to its end.
  fileprivate func bash(_ script: String, _ arguments: String...) async throws {
    let child = try Child(
      "/bin/bash", ["-c", script, "bash"] + arguments, in: root,
      environment: ProcessInfo.processInfo.environment)
    #expect(await child.ended() == 0)
  }

  /// Waits until so many names are in a directory, at most two minutes after the last one came.
  fileprivate func appears(_ count: Int, in directory: String) async throws {
    var (seen, patience) = (0, 1200)
    while seen < count, patience > 0 {
      let now = (try? FileManager.default.contentsOfDirectory(atPath: path(directory)).count) ?? 0
      patience = now == seen ? patience - 1 : 1200
      seen = now
      try await Task.sleep(for: .milliseconds(100))
    }
    try #require(seen == count, "\(seen) of \(count) appeared")
  }
}
