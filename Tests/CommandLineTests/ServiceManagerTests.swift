import Foundation
import Glibc
import Synchronization
import Testing

@Suite("under a service manager", .timeLimit(.minutes(10)))
struct ServiceManagerTests {
  private func sandbox() throws -> Sandbox {
    let sandbox = try Sandbox()
    try sandbox.write("x", to: "in/a.txt")
    try sandbox.write("return { name = 's', discover = 'in/*', settle = 0 }", to: "s.lua")
    return sandbox
  }

  @Test("says that it is ready, goes on, loads anew, and stops", arguments: [false, true])
  func notify(abstract: Bool) async throws {
    let sandbox = try sandbox()
    let manager = try Manager(at: sandbox.path("../notify"), abstract: abstract)
    let running = try sandbox.start(
      "run", "s.lua", "--watch",
      environment: ["NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "2000000"])
    try await manager.hears("READY=1")
    try await manager.hears("STATUS=0 files under way; 1 sent, 0 failed since it began")
    // An engine with nothing to do goes on as well.
    try await manager.hears("WATCHDOG=1", times: 3)
    running.signal(SIGHUP)
    try await manager.hears("RELOADING=1\nMONOTONIC_USEC=")
    try await manager.hears("READY=1", times: 2)
    try sandbox.write("no Lua", to: "s.lua")
    running.signal(SIGHUP)
    try await manager.hears("READY=1", times: 3)
    running.terminate()
    #expect(try await running.finished().status == 0)
    try await manager.hears("STOPPING=1")
  }

  @Test("says what keeps files from being begun, as `status` does: a service that refuses, or the hours")
  func held() async throws {
    try await withRemote { remote in
      let sandbox = try self.sandbox()
      try sandbox.write("y", to: "in/b.txt")
      let manager = try Manager(at: sandbox.path("../notify"), abstract: false)
      let running = try sandbox.start(
        "run", "s.lua", "--watch",
        environment: [
          "NOTIFY_SOCKET": manager.address, "LIGHTFIELD_API_KEY": "sk_lf_0123456789wxyz",
          "LIGHTFIELD_BASE_URL": remote.url,
        ])
      let held = "paused: key …wxyz refused; 2 files waiting, asked again at "
      try await manager.hears("STATUS=" + held)
      let status = try await sandbox.moontide("status")
      #expect(status.output.contains("\n" + held), "\(status)")
      running.terminate()
      #expect(try await running.finished().status == 0)
    }
    let sandbox = try self.sandbox()
    let manager = try Manager(at: sandbox.path("../notify"), abstract: false)
    let hour = Calendar(identifier: .gregorian).dateComponents(in: .gmt, from: Date()).hour ?? 0
    let hours = [3, 5].map { String(format: "%02d:00", (hour + $0) % 24) }
    let window = hours.joined(separator: "-")
    let running = try sandbox.start(
      "run", "s.lua", "--watch", "--window", window,
      environment: ["NOTIFY_SOCKET": manager.address, "TZ": "UTC"])
    let held = "nothing is begun before \(hours[0]) (--window \(window))"
    try await manager.hears("STATUS=\(held); 0 files under way; ")
    let status = try await sandbox.moontide("status", "--json")
    #expect(status.output.contains(#""held":"\#(held)""#), "\(status)")
    running.terminate()
    #expect(try await running.finished().status == 0)
  }

  @Test("counts a file once that fails again and again, and not any more once it is sent")
  func failures() async throws {
    let sandbox = try sandbox()
    func recipe(_ verdict: String) -> String {
      "return { name = 's', discover = 'in/*', settle = 0, accept = function() return \(verdict) end }"
    }
    try sandbox.write(recipe("moontide.reject('no')"), to: "s.lua")
    let manager = try Manager(at: sandbox.path("../notify"), abstract: false)
    let running = try sandbox.start(
      "run", "s.lua", "--watch", environment: ["NOTIFY_SOCKET": manager.address])
    try await running.says("rejected  in/a.txt: no")
    try await sandbox.moontide("jobs", "retry", "--all")
    try await running.says("rejected  in/a.txt: no", times: 2)
    try sandbox.write(recipe("moontide.reject('not now')"), to: "s.lua")
    running.signal(SIGHUP)
    try await running.says("rejected  in/a.txt: not now")
    try sandbox.write("", to: "in/b.txt")
    try await running.says("rejected  in/b.txt: not now")
    try await manager.hears("STATUS=0 files under way; 0 sent, 2 failed since it began")
    try sandbox.write(recipe("true"), to: "s.lua")
    running.signal(SIGHUP)
    try await running.says("sent      in/a.txt")
    try await manager.hears("STATUS=0 files under way; 1 sent, 1 failed since it began")
    running.terminate()
    #expect(try await running.finished().status == 0)
    #expect(!manager.heard.contains { $0.contains("3 failed") }, "\(manager.heard)")
  }

  @Test("takes no notice of a watchdog that is meant for another process")
  func watchdog() async throws {
    let sandbox = try sandbox()
    let manager = try Manager(at: sandbox.path("../notify"), abstract: false)
    let running = try sandbox.start(
      "run", "s.lua", "--watch",
      environment: ["NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"])
    try await running.says("s: 1 found")
    running.terminate()
    #expect(try await running.finished().status == 0)
    #expect(manager.heard.contains("READY=1") && !manager.heard.contains("WATCHDOG=1"), "\(manager.heard)")
  }

  @Test("marks lines with their level for the journal, and only where they go there")
  func levels() async throws {
    let sandbox = try sandbox()
    try sandbox.write("", to: "in/empty.txt")
    let plain = try await sandbox.moontide("run", "s.lua", environment: ["JOURNAL_STREAM": "1:2"])
    #expect(!plain.output.contains("<"), "\(plain)")
    let marked = try await sandbox.moontide("run", "s.lua", "-v", "--log-format", "journal")
    let lines = marked.output.split(separator: "\n")
    #expect(lines.allSatisfy { $0.prefixMatch(of: /<[3-7]>/) != nil }, "\(marked)")
    #expect(lines.first?.hasPrefix("<5>profile ") == true, "\(marked)")
    #expect(lines.contains { $0.hasPrefix("<3>failed    in/empty.txt") }, "\(marked)")
    let json = try await sandbox.moontide("run", "s.lua", "--json", "--log-format", "journal")
    #expect(json.output.split(separator: "\n").allSatisfy { $0.hasPrefix("{") }, "\(json)")
    try sandbox.write("no Lua", to: "s.lua")
    let refused = try await sandbox.moontide("run", "s.lua", "--log-format", "journal")
    #expect(refused.status == 3 && refused.errors.hasPrefix("<3>moontide: "), "\(refused)")
  }

  @Test("finds what scripts are trusted with where the page on operating has it kept")
  func trust() throws {
    let unit = try String(contentsOfFile: Repository.path("scripts/moontide@.service"), encoding: .utf8)
    let page = try String(contentsOfFile: Repository.path("docs/operating.md"), encoding: .utf8)
    let place = try #require(unit.firstMatch(of: /\nEnvironment=XDG_CONFIG_HOME=(\S+)\n/)?.1)
    #expect(page.contains("install -d -o moontide -g moontide -m 700 \(place) "))
    #expect(page.contains("sudo -u moontide env XDG_CONFIG_HOME=\(place) moontide trust --project "))
  }

  @Test("is described by a unit file that systemd takes")
  func unit() async throws {
    let unit = Repository.path("scripts/moontide@.service")
    let sandbox = try Sandbox()
    // The program has to be there for the check.
    let text = try String(contentsOfFile: unit, encoding: .utf8)
      .replacing("/usr/local/bin/moontide", with: Running.executable)
    try sandbox.write(text, to: "moontide@team.service")
    let verify =
      "command -v systemd-analyze >/dev/null || exit 0; systemd-analyze verify ./moontide@team.service"
    let result = try await sandbox.carryOut(verify)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
  }
}

/// Where things lie in the repository.
enum Repository {
  static func path(_ relative: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../" + relative)
      .standardizedFileURL.path
  }
}

/// A service manager, as far as it listens.
private final class Manager: Sendable {
  /// What the process is told.
  let address: String
  private let socket: Int32
  private let messages = Mutex<[String]>([])

  init(at path: String, abstract: Bool) throws {
    address =
      abstract ? "@moontide-test-\(UUID().uuidString)" : URL(fileURLWithPath: path).standardizedFileURL.path
    socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var place = sockaddr_un()
    place.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(address.utf8)
    if abstract { bytes[0] = 0 }
    try #require(bytes.count < MemoryLayout.size(ofValue: place.sun_path))
    withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    let socket = socket
    let isBound = withUnsafePointer(to: &place) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) == 0 }
    }
    try #require(isBound)
    Thread.detachNewThread { [weak self] in
      var piece = [UInt8](repeating: 0, count: 4096)
      while case let count = recv(socket, &piece, piece.count, 0), count > 0, let self {
        self.messages.withLock { $0.append(String(decoding: piece[..<count], as: UTF8.self)) }
      }
      close(socket)
    }
  }

  deinit { shutdown(socket, Int32(SHUT_RDWR)) }

  var heard: [String] { messages.withLock { $0 } }

  /// Waits until it was told so, so many times, at most a minute.
  func hears(_ beginning: String, times: Int = 1) async throws {
    for _ in 0..<6000 {
      if heard.filter({ $0.hasPrefix(beginning) }).count >= times { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("\(beginning) was not heard: \(heard)")
  }
}
