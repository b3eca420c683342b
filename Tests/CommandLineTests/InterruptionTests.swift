import Foundation
import Testing

@Suite("signals to a run", .timeLimit(.minutes(10)))
struct InterruptionTests {
  private static func sandbox() throws -> Sandbox {
    let sandbox = try Sandbox()
    // More than the kernel takes for a connection that nobody reads from.
    for number in 1...3 { try sandbox.makeHole("in/\(number).bin", size: 15 << 20) }
    try sandbox.write("return { name = 'slow', discover = 'in/*', settle = 0 }", to: "slow.lua")
    return sandbox
  }

  /// Runs until two of three files are under way and stand still, and gives the process to `body`.
  private func stalled(
    _ options: [String] = [], _ body: (Sandbox, Remote, Gate, Running) async throws -> Void
  )
    async throws
  {
    let gate = try Gate()
    try await withRemote(gate: gate) { remote in
      let sandbox = try Self.sandbox()
      let running = try Running(
        ["run", "slow.lua", "-v", "--transfers", "2"] + options, in: sandbox.root,
        environment: remote.environment)
      try await running.says("opened    in/", times: 2)
      try await body(sandbox, remote, gate, running)
    }
  }

  /// The next run sends what is left, and nothing twice.
  private func expectNextRunRight(_ sandbox: Sandbox, _ remote: Remote) async throws {
    let next = try await sandbox.moontide("run", "slow.lua", environment: remote.environment)
    #expect(next.status == 0, "\(next)")
    let files = try await remote.files()
    let completed = files.filter { $0.status == .completed }.map { $0.filename.prefix(1) }
    #expect(completed.sorted() == ["1", "2", "3"], "\(files)")
    #expect(!files.contains { $0.status == .pending }, "\(files)")
  }

  @Test("finish what is under way after one Ctrl-C, having said how much that is")
  func drain() async throws {
    try await stalled { sandbox, remote, gate, running in
      running.interrupt()
      try await running.says("Finishing 2 files under way, ")
      try await running.says(" MB to go. Nothing new is begun.")
      gate.open()
      let run = try await running.finished()
      #expect(
        run.status == 130 && run.lastLine.contains("2 sent") && run.lastLine.contains("1 left"), "\(run)")
      try await expectNextRunRight(sandbox, remote)
    }
  }

  @Test("cancel the sessions after a second Ctrl-C, and leave")
  func cancel() async throws {
    try await stalled { sandbox, remote, gate, running in
      running.interrupt()
      try await running.says("Finishing 2 files")
      running.interrupt()
      let run = try await running.finished()
      #expect(run.status == 130 && run.errors.contains("Cancelling 2 files under way"), "\(run)")
      #expect(run.errors.contains(" to go. The next run sends them. Once more"), "\(run)")
      #expect(run.output.components(separatedBy: "\ncancelled in/").count == 3, "\(run)")
      #expect(try await remote.files().map(\.status) == [.cancelled, .cancelled])
      gate.open()
      try await expectNextRunRight(sandbox, remote)
    }
  }

  @Test("end it at once after a third Ctrl-C, though the service does not answer")
  func quit() async throws {
    let uploads = try Gate()
    let service = try StubbedService { name, _ in
      switch name {
      case "POST /v1/files": StubbedService.session("fil_1", "PENDING", uploadURL: uploads.url + "/bytes")
      default: nil
      }
    }
    let sandbox = try Sandbox()
    try sandbox.write("text 1", to: "in/a.txt")
    try sandbox.write("return { name = 'slow', discover = 'in/*', settle = 0 }", to: "slow.lua")
    let running = try Running(
      ["run", "slow.lua", "-v"], in: sandbox.root, environment: service.environment)
    try await running.says("opened    in/a.txt")
    running.interrupt()
    try await running.says("Finishing 1 file")
    running.interrupt()
    try await service.hasSeen("POST /v1/files/fil_1/cancel")
    running.interrupt()
    let run = try await running.finished()
    #expect(run.status == 130 && run.errors.contains("Ended at once"), "\(run)")
  }

  @Test("leave what a third Ctrl-C cut off for the next run, which does it right")
  func afterQuitting() async throws {
    try await stalled { sandbox, remote, gate, running in
      running.interrupt()
      try await running.says("Finishing 2 files")
      running.interrupt()
      try await running.says("Cancelling")
      running.interrupt()
      #expect(try await running.finished().status == 130)
      gate.open()
      try await expectNextRunRight(sandbox, remote)
    }
  }

  @Test("finish after SIGTERM within --drain-timeout and end with status 0", arguments: [true, false])
  func terminate(inTime: Bool) async throws {
    try await stalled(inTime ? [] : ["--drain-timeout", "1s"]) { sandbox, remote, gate, running in
      running.terminate()
      try await running.says("Finishing 2 files under way, ")
      if inTime { gate.open() }
      let run = try await running.finished()
      #expect(run.status == 0, "\(run)")
      #expect(run.errors.contains(inTime ? "for 30 s at the most" : "for 1 s at the most"), "\(run)")
      let status: [String] = try await remote.files().map(\.status.rawValue)
      #expect(status == Array(repeating: inTime ? "COMPLETED" : "CANCELLED", count: 2))
      gate.open()
      try await expectNextRunRight(sandbox, remote)
    }
  }
}
