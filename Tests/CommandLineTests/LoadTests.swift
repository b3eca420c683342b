import Foundation
import Testing

@Suite("In which order, how fast and when a run sends")
struct LoadTests {
  private func sandbox(_ keys: String = "") throws -> Sandbox {
    let sandbox = try Sandbox()
    for (name, size) in [("a", 300), ("b", 100), ("c", 200)] {
      try sandbox.write(String(repeating: "x", count: size), to: "in/\(name).txt")
    }
    try sandbox.write("return { name = 'r', discover = 'in/*', \(keys) }", to: "r.lua")
    return sandbox
  }

  private func sent(_ run: Finished) -> [String] {
    run.output.split(separator: "\n").filter { $0.hasPrefix("sent ") }.map {
      String($0.dropFirst("sent      in/".count).prefix(1))
    }
  }

  @Test("takes the smallest first where the recipe says so, and what --order says whatever it says")
  func order() async throws {
    let small = try sandbox("order = 'smallest', settle = 0")
    let first = try await small.moontide("run", "r.lua", "--transfers", "1")
    #expect(first.status == 0 && sent(first) == ["b", "c", "a"], "\(first)")
    let other = try sandbox("order = 'smallest', concurrency = 1")
    for (name, minute) in [("c", 1), ("a", 2), ("b", 3)] {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000 + Double(minute) * 60)],
        ofItemAtPath: other.path("in/\(name).txt"))
    }
    let second = try await other.moontide("run", "r.lua", "--order", "newest")
    #expect(second.status == 0 && sent(second) == ["b", "a", "c"], "\(second)")
  }

  @Test("sends no faster than --bwlimit, to the embedded service", .timeLimit(.minutes(2)))
  func bandwidth() async throws {
    let sandbox = try sandbox()
    for number in 1...3 { try sandbox.makeHole("in/\(number).bin", size: 256 << 10) }
    let began = ContinuousClock.now
    let run = try await sandbox.moontide("run", "r.lua", "--bwlimit", "00:00,512K")
    #expect(run.status == 0 && run.lastLine.contains("6 sent"), "\(run)")
    #expect(ContinuousClock.now - began > .milliseconds(1200))
  }

  @Test(
    "names the part of a rate, a window or an order that is wrong",
    arguments: [
      ("--bwlimit", "08:00,1M 25:00,off", "\"25:00\""), ("--bwlimit", "10", "10K"),
      ("--window", "22-6", "\"22\""),
      ("--window", "22:00", "22:00-06:00"), ("--order", "largest", "largest"),
    ])
  func wrong(option: String, value: String, part: String) async throws {
    let sandbox = try sandbox()
    let run = try await sandbox.moontide("run", "r.lua", option, value)
    #expect(run.status == 2 && run.errors.contains(part) && run.errors.contains(option), "\(run)")
    #expect(!sandbox.has(".moontide"))
  }

  @Test("begins nothing outside of --window, and ends with status 6, saying what is left and when it opens")
  func window() async throws {
    let sandbox = try sandbox()
    let hour = Calendar(identifier: .gregorian).dateComponents(in: .gmt, from: Date()).hour ?? 0
    func window(from first: Int, to second: Int) -> String {
      String(format: "%02d:00-%02d:00", (hour + first) % 24, (hour + second) % 24)
    }
    let closed = window(from: 3, to: 5)
    let zone = ["TZ": "UTC"]
    let run = try await sandbox.moontide("run", "r.lua", "--window", closed, environment: zone)
    #expect(run.status == 6 && run.errors.contains("Outside of \(closed)"), "\(run)")
    #expect(run.errors.contains("3 files left") && run.errors.contains(" \(closed.prefix(5))"), "\(run)")
    #expect(try await sandbox.files().isEmpty)
    let open = try await sandbox.moontide(
      "run", "r.lua", "--window", window(from: -1 + 24, to: 3), environment: zone)
    #expect(open.status == 0 && open.lastLine.contains("3 sent"), "\(open)")
  }
}
