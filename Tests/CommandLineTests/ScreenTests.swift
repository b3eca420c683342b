import Foundation
import Testing

@Suite("progress on a terminal", .timeLimit(.minutes(10)))
struct ScreenTests {
  private static let long = String(repeating: "very-", count: 30) + "long.bin"
  private static let names = ["a.bin", "平仮名とカタカナ.bin", long]
  /// More than the kernel takes for a connection that nobody reads from.
  private static let size: UInt64 = 24 << 20

  private static func sandbox() throws -> Sandbox {
    let sandbox = try Sandbox()
    for name in names { try sandbox.makeHole("in/" + name, size: size) }
    try sandbox.write("", to: "in/empty.bin")
    try sandbox.write(
      """
      return {
        name = "screen", discover = "in/*.bin", settle = 0,
        completed = function(f) print("handled " .. f.size) end,
        accept = function(f) print("looked at " .. f.size) return true end,
      }
      """, to: "screen.lua")
    return sandbox
  }

  private static func isBar(_ line: String) -> Bool { line.contains(#/ \d+ %/#) }

  @Test(
    "is a bar for each transfer and totals, right after a resize, with other lines above it; and is gone at the end"
  )
  func bars() async throws {
    let gate = try Gate()
    try await withRemote(gate: gate) { remote in
      let sandbox = try Self.sandbox()
      let terminal = try Terminal(columns: 100, rows: 30)
      let running = try Running(
        ["run", "screen.lua", "--transfers", "3"], in: sandbox.root,
        environment: remote.environment.merging(Terminal.environment) { $1 }, output: terminal.side,
        errors: terminal.side)
      let wide = try await terminal.shows {
        $0.filter(Self.isBar).count == 3
          && $0.contains { $0.contains("█") && $0.contains("░") && $0.hasPrefix("in/平仮名とカタカナ.bin ") }
      }
      Self.expectWhole(wide, columns: 100)
      #expect(wide.contains { $0.hasPrefix("…") && $0.contains("very-long.bin ") }, "\(wide)")
      #expect(wide.last?.hasPrefix("0 sent, 1 failed, ") == true, "\(wide)")

      for (columns, rows) in [(60, 12), (45, 30), (120, 9), (20, 30)] {
        terminal.resize(columns: columns, rows: rows)
        running.signal(SIGWINCH)
        let lines = try await terminal.shows { lines in
          lines.filter(Self.isBar).count == 3 && lines.filter { $0.contains("0 sent, 1 failed") }.count == 1
            && lines.allSatisfy { $0.count <= columns } && lines.last?.hasPrefix("0 sent") == true
        }
        Self.expectWhole(lines, columns: columns)
      }
      terminal.resize(columns: 80, rows: 4)
      running.signal(SIGWINCH)
      try await terminal.shows { lines in
        lines.count <= 4 && lines.filter(Self.isBar).count == 1 && lines.contains("and 2 more")
      }
      terminal.resize(columns: 200, rows: 30)
      running.signal(SIGWINCH)
      try await terminal.shows { $0.filter(Self.isBar).count == 3 }

      gate.open()
      #expect(try await running.finished().status == 1)
      let text = try await terminal.screen()
      let last = terminal.lines
      #expect(!last.contains(where: Self.isBar), "\(last)")
      #expect(last.last?.hasPrefix("screen: 4 found, 3 sent, ") == true, "\(last)")
      #expect(last.first?.hasPrefix("profile ") == true, "\(last)")
      #expect(last.filter { $0 == "screen.lua: handled \(Self.size)" }.count == 3, "\(last)")
      #expect(last.filter { $0 == "screen.lua: looked at \(Self.size)" }.count == 3, "\(last)")
      #expect(last.contains { $0.hasPrefix("failed    in/empty.bin: ") }, "\(last)")
      #expect(terminal.model.isCursorVisible && !text.contains("\u{1B}[?25"))
      #expect(text.contains("\u{1B}[31m"), "\(text.debugDescription)")
    }
  }

  /// The routine lines are there once, and none is longer than the terminal is wide.
  private static func expectWhole(_ lines: [String], columns: Int) {
    // It may have gone off the top.
    #expect(lines.filter { $0.hasPrefix("profile ") }.count <= 1, "\(lines)")
    #expect(lines.filter { $0.contains("sent, 1 failed") }.count == 1, "\(lines)")
    for line in lines where isBar(line) {
      let cells = line.reduce(0) { $0 + ($1.utf8.count > 2 && !"█░…".contains($1) ? 2 : 1) }
      #expect(cells < columns, "\(line)")
    }
  }

  @Test(
    "has no colour where NO_COLOR is set, and is not drawn at all on a dumb terminal",
    arguments: [["NO_COLOR": "1"], ["TERM": "dumb"]])
  func plain(_ variables: [String: String]) async throws {
    let sandbox = try Self.sandbox()
    let terminal = try Terminal()
    let environment = Terminal.environment.merging(variables) { $1 }
    let running = try Running(
      ["run", "screen.lua"], in: sandbox.root, environment: environment, output: terminal.side)
    #expect(try await running.finished().status == 1)
    let text = try await terminal.screen()
    #expect(!text.contains(#/\u{1B}\[\d+m/#), "\(text.debugDescription)")
    #expect(variables["TERM"] == nil || !text.contains("\u{1B}"), "\(text)")
    #expect(terminal.lines.contains { $0.hasPrefix("failed    in/empty.bin: ") }, "\(text)")
    #expect(terminal.lines.contains { $0.hasPrefix("screen: 4 found, 3 sent") }, "\(text)")
  }
}
