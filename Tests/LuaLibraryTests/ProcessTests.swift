import Foundation
import Glibc
import LuaHost
import LuaLibrary
import Synchronization
import Testing
import Workspace

/// `moontide.process`.
@Suite struct ProcessTests {
  private let path = ["PATH": "/usr/local/bin:/usr/bin:/bin"]

  private func context(_ project: LibraryProject, _ flags: [String], environment: [String: String] = [:])
    throws -> LibraryContext
  {
    try project.context(project.permissions(flags), environment: environment.merging(path) { $1 })
  }

  @Test("A program gets its arguments as they are, its input, and gives its output and status")
  func runs() async throws {
    let project = try LibraryProject()
    try project.make("project/in.txt", "inside")
    let values = try await runScript(
      """
      local run = moontide.process.run
      local echo = run { "printf", "%s|", "a b", "$HOME", "*", "", "\\xff" }
      local cat = run { "cat", stdin = "in\\0put" }
      local fail = run { "sh", "-c", "echo out; echo err >&2; exit 3" }
      return echo.stdout, echo.status, echo.stderr, cat.stdout, fail.stdout, fail.stderr, fail.status, fail.signal,
        run { "cat", "in.txt" }.stdout
      """, context(project, ["--allow-run=printf,cat,sh"]))
    #expect(
      values == [
        .bytes(Array("a b|$HOME|*||".utf8) + [0xff] + Array("|".utf8)), 0, "", "in\0put", "out\n", "err\n", 3,
        nil, "inside",
      ])
  }

  @Test("It starts in the project, or below it where it is told to")
  func directories() async throws {
    let project = try LibraryProject()
    try project.make("project/sub/a.txt")
    let values = try await runScript(
      "local run = moontide.process.run; return run{'pwd'}.stdout, run{'pwd', cwd = 'sub'}.stdout",
      context(project, ["--allow-run=pwd"]))
    #expect(values == [.string(project.directory + "\n"), .string(project.directory + "/sub\n")])
    let error = try await scriptFailure(
      "moontide.process.run{'pwd', cwd = 'sub/a.txt'}", context(project, ["--allow-run=pwd"]))
    #expect((error?.underlying as? WorkspaceError)?.code == .notDirectory)
  }

  @Test("A program that a signal ended has no status")
  func signals() async throws {
    let project = try LibraryProject()
    let values = try await runScript(
      "local r = moontide.process.run { 'sh', '-c', 'kill -9 $$' }; return r.status, r.signal",
      context(project, ["--allow-run=sh"]))
    #expect(values == [nil, 9])
  }

  @Test("The environment is a small one, with what was granted and what the script sets")
  func environments() async throws {
    let project = try LibraryProject()
    let source = "return moontide.process.run { 'env', env = { MINE = 'm' } }.stdout"
    let environment = [
      "HOME": "/h", "LC_ALL": "C", "TOKEN": "t", "SECRET": "s", "LIGHTFIELD_API_KEY": "sk_lf_0123456789",
    ]
    let values = try await runScript(
      source, context(project, ["--allow-run=env", "--allow-env=TOKEN"], environment: environment))
    let lines = values.first?.text?.split(separator: "\n").map(String.init).sorted()
    #expect(
      lines == ["HOME=/h", "LC_ALL=C", "MINE=m", "PATH=/usr/local/bin:/usr/bin:/bin", "TOKEN=t"])
  }

  @Test("Input that is not read does no harm")
  func unread() async throws {
    let project = try LibraryProject()
    let values = try await runScript(
      "return moontide.process.run { 'true', stdin = ('x'):rep(1 << 20) }.status",
      context(project, ["--allow-run=true"]))
    #expect(values == [0])
  }

  @Test("Output beyond the limit ends the program", arguments: ["yes", "sh -c 'yes >&2'"])
  func outputLimit(_ command: String) async throws {
    let project = try LibraryProject()
    let words = command == "yes" ? "'yes'" : "'sh', '-c', 'yes >&2'"
    let error = try await scriptFailure(
      "moontide.process.run { \(words), max_output = 10000 }", context(project, ["--allow-run=yes,sh"]))
    #expect((error?.underlying as? ProgramError)?.code == .outputLimit)
    let exact = try await runScript(
      "return #moontide.process.run { 'printf', '12345', max_output = 5 }.stdout",
      context(project, ["--allow-run=printf"]))
    #expect(exact == [5])
  }

  @Test(
    "A program that is not there is an error of its own",
    arguments: ["nothing-of-this-name", "/nowhere/tool"])
  func missing(_ program: String) async throws {
    let project = try LibraryProject()
    let error = try await scriptFailure(
      "moontide.process.run { '\(program)' }", context(project, ["--allow-run=\(program)"]))
    #expect((error?.underlying as? ProgramError)?.code == .notFound, "\(String(describing: error))")
  }

  @Test(
    "A call that is written wrongly says so",
    arguments: [
      ("{}", "there is no program"), ("{ 'true', 1 }", "string without NUL wanted, got number 1"),
      ("'true'", "table wanted"), ("{ 'true', timeot = 1 }", "did you mean 'timeout'?"),
      ("{ 'true', timeout = 0 }", "more than 0"), ("{ 'true', env = { A = 1 } }", "string without NUL"),
      ("{ 'true', stdin = 1 }", "string wanted"), ("{ 'true', max_output = -1 }", "integer from 0"),
      ("{ 'true', env = { 'A' } }", "write NAME = value"),
    ])
  func mistakes(_ argument: String, _ message: String) async throws {
    let project = try LibraryProject()
    let error = try await scriptFailure(
      "moontide.process.run(\(argument))", context(project, ["--allow-run=true"]))
    #expect(
      error?.message.contains(message) == true || error?.hint?.contains(message) == true,
      "\(String(describing: error))")
  }

  /// Whether a process runs; one that was killed and waits for its parent does not.
  private func isRunning(_ process: Int32) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return false }
    return !text[end...].dropFirst(2).hasPrefix("Z")
  }

  /// Waits for the number that a program writes.
  private func number(in file: String) async throws -> Int32 {
    while true {
      if let text = try? String(contentsOfFile: file, encoding: .utf8), text.hasSuffix("\n"),
        let number = Int32(text.dropLast())
      {
        return number
      }
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  private func untilGone(_ process: Int32) async throws {
    while isRunning(process) { try await Task.sleep(for: .milliseconds(2)) }
  }

  private let background = "sleep 1000 & echo $! > started.tmp; mv started.tmp started;"

  @Test("What a program leaves behind ends with it", .timeLimit(.minutes(1)))
  func leftovers() async throws {
    let project = try LibraryProject()
    let values = try await runScript(
      "return moontide.process.run { 'sh', '-c', '\(background) echo done' }.stdout",
      context(project, ["--allow-run=sh"]))
    #expect(values == ["done\n"])
    try await untilGone(number(in: project.directory + "/started"))
  }

  @Test("A program that takes too long is killed with all that it started", .timeLimit(.minutes(1)))
  func timeouts() async throws {
    let project = try LibraryProject()
    let asked = Mutex<[Duration]>([])
    let context = try project.context(
      project.permissions(["--allow-run=sh"]), environment: path,
      sleep: { duration in
        asked.withLock { $0.append(duration) }
        // The time passes once the program is at work.
        _ = try await number(in: project.directory + "/started")
      })
    let error = try await scriptFailure(
      "moontide.process.run { 'sh', '-c', 'trap \"\" TERM; \(background) wait', timeout = 7 }", context)
    #expect((error?.underlying as? ProgramError)?.code == .timeout)
    #expect(asked.withLock { $0 } == [.seconds(7)])
    try await untilGone(number(in: project.directory + "/started"))
  }

  @Test("A program is killed with the call that waits for it", .timeLimit(.minutes(1)))
  func cancels() async throws {
    let project = try LibraryProject()
    let context = try context(project, ["--allow-run=sh"])
    let task = Task {
      try await runScript("moontide.process.run { 'sh', '-c', '\(background) wait' }", context)
    }
    let process = try await number(in: project.directory + "/started")
    #expect(isRunning(process))
    task.cancel()
    let error = await #expect(throws: LuaError.self) { try await task.value }
    #expect(error?.code == .cancelled)
    try await untilGone(process)
  }

  @Test("A program that closes its output is waited for")
  func closesOutput() async throws {
    let project = try LibraryProject()
    let values = try await runScript(
      "return moontide.process.run { 'sh', '-c', 'exec >&- 2>&-; sleep 0.2; echo x > written; exit 4' }.status",
      context(project, ["--allow-run=sh"]))
    #expect(values == [4])
    #expect(project.content("project/written") == "x\n")
  }
}
