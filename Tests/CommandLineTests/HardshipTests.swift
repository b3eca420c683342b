import Foundation
import Glibc
import Testing

/// What a disk can do to a run: each has a clear error and the right status, and nothing is lost.
@Suite("Hardship")
struct HardshipTests {
  // MARK: - A full disk

  /// What lies on the disk that becomes full.
  enum Part: String, CaseIterable {
    /// The ledger and the embedded service.
    case state = ".moontide"
    case service = ".moontide/local"
  }

  /// Runs in a mount namespace of its own. `$1` is what lies on a small disk; `$2` is the program.
  private static let fullDisk = """
    mkdir -p "$1"
    mount -t tmpfs -o size=1500k small "$1"
    for room in 1500k 1500k 50m 50m; do
      mount -o remount,size=$room "$1"
      "$2" run full.lua --quiet >"output" 2>&1 && status=0 || status=$?
      echo "$status $(ls in | wc -l) $(tr '\\n' ' ' <output)"
    done
    "$2" files list --all --json >files
    """

  @Test(
    "of a full disk is named, and a run after there is room again sends what was left",
    arguments: Part.allCases)
  func fullDisk(part: Part) async throws {
    guard let namespace = await Self.mountNamespace() else { return }
    let sandbox = try Sandbox()
    for number in 1...40 {
      try sandbox.write(Data(repeating: UInt8(number), count: 100_000), to: "in/\(number).bin")
    }
    try sandbox.write(
      "return { name = 'full', discover = { root = 'in' }, settle = 0, completed = { move = 'sent' } }",
      to: "full.lua")
    let words = namespace + ["bash", "-c", Self.fullDisk, "bash", part.rawValue, Running.executable]
    let child = try Running(
      Array(words.dropFirst()), in: sandbox.root, environment: [:], executable: words[0])
    let script = try await child.finished()
    #expect(script.status == 0, "\(script)")
    let runs = script.output.split(separator: "\n").map {
      $0.split(separator: " ", maxSplits: 2).map(String.init)
    }
    try #require(runs.count == 4 && runs.allSatisfy { $0.count >= 2 }, "\(script)")
    for run in runs.prefix(2) {
      #expect(Int(run[1]) ?? 0 > 0 && run.count == 3, "\(script)")
      // The ledger and the service may lie on one disk: whichever wants more of it first, tells.
      let isService = run.last?.contains(".moontide/local is full") == true
      let isLedger = run.last?.contains("no room left on the disk for the ledger") == true
      #expect(isService || isLedger && part == .state, "\(script)")
      // A ledger that is full already in the beginning is no ledger to begin with.
      #expect((isLedger ? ["1", "2"] : ["4"]).contains(run[0]), "\(script)")
    }
    #expect(runs[2].prefix(2) == ["0", "0"], "\(script)")
    #expect(runs[3].prefix(2) == ["0", "0"], "\(script)")
    let files = try String(contentsOfFile: sandbox.path("files"), encoding: .utf8).split(separator: "\n").map
    {
      try JSONDecoder().decode(Sandbox.Listed.self, from: Data($0.utf8))
    }
    #expect(files.filter { $0.status == "PENDING" }.isEmpty)
    let completed = files.filter { $0.status == "COMPLETED" }.map(\.filename)
    #expect(completed.count == 40 && Set(completed).count == 40)
    for number in 1...40 {
      let data = try Data(contentsOf: URL(fileURLWithPath: sandbox.path("sent/\(number).bin")))
      #expect(data == Data(repeating: UInt8(number), count: 100_000))
    }
  }

  /// The words that begin a command in which file systems may be mounted; nil, and a line that says so, where none may.
  private static func mountNamespace() async -> [String]? {
    let words = ["/usr/bin/unshare"] + (geteuid() == 0 ? [] : ["--map-root-user"]) + ["--mount"]
    let probe = try? Running(
      words.dropFirst() + ["mount", "-t", "tmpfs", "probe", "/mnt"], in: "/", environment: [:],
      executable: words[0])
    if let status = try? await probe?.finished().status, status == 0 { return words }
    print("skipped: no disk becomes full, since nothing can be mounted here (unshare --mount)")
    return nil
  }

  // MARK: - Permissions

  /// A project of which the user that runs it is the owner, and is not root: root may do everything.
  private func plainProject() async throws -> PlainUser? {
    let sandbox = try Sandbox()
    for number in 1...3 { try sandbox.write("content \(number)", to: "in/\(number).md") }
    try sandbox.write("content", to: "in/locked/4.md")
    try sandbox.write(
      "return { name = 'hard', discover = { root = 'in' }, settle = 0, completed = { move = 'sent' } }",
      to: "hard.lua")
    return try await PlainUser(of: sandbox)
  }

  @Test("of a directory that cannot be read is a problem of that directory, and the rest is sent")
  func unreadable() async throws {
    guard let user = try await plainProject() else { return }
    let sandbox = user.sandbox
    chmod(sandbox.path("in/locked"), 0)
    let run = try await user.moontide("run", "hard.lua")
    #expect(
      run.status == 1 && run.lastLine.contains("3 sent") && run.lastLine.contains("1 problem"), "\(run)")
    #expect(
      run.output.contains("problem   in/locked: ") && run.output.contains("Permission denied"), "\(run)")
    chmod(sandbox.path("in/locked"), 0o755)
    let next = try await user.moontide("run", "hard.lua")
    #expect(next.status == 0 && next.lastLine.contains("1 sent"), "\(next)")
    #expect(sandbox.has("sent/locked/4.md"))
  }

  @Test("of a file that cannot be read is that file's, and no session is opened for it")
  func unreadableFile() async throws {
    guard let user = try await plainProject() else { return }
    let sandbox = user.sandbox
    chmod(sandbox.path("in/1.md"), 0)
    let run = try await user.moontide("run", "hard.lua")
    #expect(run.status == 1 && run.lastLine.contains("3 sent") && run.lastLine.contains("1 failed"), "\(run)")
    #expect(run.output.contains("in/1.md") && run.output.contains("Permission denied"), "\(run)")
    let upload = try await user.moontide("files", "upload", "in/1.md", "--profile", "local")
    #expect(upload.status == 1 && upload.errors.contains("Permission denied"), "\(upload)")
    let list = try await user.moontide("files", "list", "--all", "--profile", "local")
    #expect(list.output.split(separator: "\n").count == 3, "\(list)")
    chmod(sandbox.path("in/1.md"), 0o644)
    let next = try await user.moontide("run", "hard.lua")
    #expect(next.status == 0 && next.lastLine.contains("1 sent"), "\(next)")
  }

  @Test("of a ledger that is read-only is an error before anything is sent")
  func readOnlyLedger() async throws {
    guard let user = try await plainProject() else { return }
    let sandbox = user.sandbox
    let first = try await user.moontide("run", "hard.lua")
    #expect(first.status == 0, "\(first)")
    try await user.write("new", to: "in/new.md")
    for suffix in ["", "-wal", "-shm"] { chmod(sandbox.path(".moontide/ledger.sqlite" + suffix), 0o444) }
    let run = try await user.moontide("run", "hard.lua")
    #expect(run.status == 2, "\(run)")
    #expect(
      run.errors.contains("ledger.sqlite cannot be written") && run.errors.contains("right to write"),
      "\(run)")
    #expect(sandbox.has("in/new.md"))
    for suffix in ["", "-wal", "-shm"] { chmod(sandbox.path(".moontide/ledger.sqlite" + suffix), 0o644) }
    let next = try await user.moontide("run", "hard.lua")
    #expect(next.status == 0 && next.lastLine.contains("1 found, 1 sent"), "\(next)")
  }

  @Test("of a target that cannot be written leaves the file where it is, and only the step is tried again")
  func unwritableTarget() async throws {
    guard let user = try await plainProject() else { return }
    let sandbox = user.sandbox
    try FileManager.default.createDirectory(atPath: sandbox.path("sent"), withIntermediateDirectories: false)
    chmod(sandbox.path("sent"), 0o555)
    let run = try await user.moontide("run", "hard.lua")
    #expect(
      run.status == 1 && run.lastLine.contains("4 sent") && run.lastLine.contains("4 unfinished"), "\(run)")
    #expect(run.output.contains("sent/1.md") && run.output.contains("Permission denied"), "\(run)")
    #expect(sandbox.has("in/1.md"))
    chmod(sandbox.path("sent"), 0o777)
    let next = try await user.moontide("run", "hard.lua")
    #expect(next.status == 0 && next.lastLine.contains(" 0 sent"), "\(next)")
    #expect(sandbox.has("sent/1.md") && !sandbox.has("in/1.md"))
  }

  // MARK: - A root that goes

  @Test("of a root that is gone is named, and what it held is not taken for deleted")
  func vanishedRoot() async throws {
    let sandbox = try Sandbox()
    for number in 1...5 { try sandbox.write("content \(number)", to: "in/\(number).md") }
    try sandbox.write("return { name = 'r', discover = { root = 'in' }, settle = 0 }", to: "r.lua")
    let first = try await sandbox.moontide("run", "r.lua", "--max-files", "3")
    #expect(first.status == 6, "\(first)")
    try FileManager.default.moveItem(atPath: sandbox.path("in"), toPath: sandbox.path("unmounted"))
    let without = try await sandbox.moontide("run", "r.lua")
    #expect(without.status == 1 && without.output.contains("cannot walk \"in\""), "\(without)")
    try FileManager.default.moveItem(atPath: sandbox.path("unmounted"), toPath: sandbox.path("in"))
    let back = try await sandbox.moontide("run", "r.lua")
    #expect(back.status == 0 && back.lastLine.contains("5 found, 2 sent, 3 already done"), "\(back)")
  }
}

/// Somebody who is not root, and owns a project.
private struct PlainUser {
  /// The user and the group "nobody" of most systems.
  private static let number: uid_t = 65534

  let sandbox: Sandbox
  private let words: [String]

  /// nil, and a line that says so, where nobody else than root can run the program.
  init?(of sandbox: Sandbox) async throws {
    self.sandbox = sandbox
    guard geteuid() == 0 else {
      words = []
      return
    }
    let number = Self.number
    words = [
      "/usr/bin/setpriv", "--reuid=\(number)", "--regid=\(number)", "--clear-groups", Running.executable,
    ]
    let paths =
      [sandbox.root] + (try FileManager.default.subpathsOfDirectory(atPath: sandbox.root)).map(sandbox.path)
    for path in paths { chown(path, number, number) }
    let probe = try? await moontide("--version")
    guard probe?.status == 0 else {
      print("skipped: no run without permissions, since nobody but root can run the program (setpriv)")
      return nil
    }
  }

  func moontide(_ arguments: String...) async throws -> Finished {
    // Root's own directories are none of its business.
    let environment = ["HOME": sandbox.root, "XDG_CONFIG_HOME": sandbox.path(".config")]
    return try await Running(
      words.dropFirst() + arguments, in: sandbox.root, environment: environment, executable: words.first
    ).finished()
  }

  func write(_ text: String, to path: String) async throws {
    try sandbox.write(text, to: path)
    if geteuid() == 0 { chown(sandbox.path(path), Self.number, Self.number) }
  }
}
