import FileSessions
import Foundation
import Ingestion
import SQLiteLedger
import Synchronization
import Testing

@Suite("Hours outside of which nothing is begun")
struct HoursTests {
  private let project: TemporaryProject
  /// 2033-05-18 03:33:20 UTC, at which a virtual clock begins.
  private let hours = "04:00-06:00"

  init() throws {
    project = try TemporaryProject()
    for number in 1...3 { try project.write("\(number)", to: "\(number).md") }
  }

  private func terms(_ window: String, _ clock: VirtualClock, waits: Bool) throws -> Gate.Terms {
    var terms = Gate.Terms()
    terms.hours = OpeningHours(try DailyWindow(window), clock: clock.wall, zone: .gmt)
    terms.waitsForHours = waits
    return terms
  }

  private func run(
    _ window: String, waits: Bool, report: @escaping @Sendable (RunEvent) -> Void = { _ in }
  ) async throws -> (summary: RunSummary, passed: Duration) {
    let clock = VirtualClock(runsByItself: true)
    let (rig, start) = (try await Rig(project, clock: clock.wall), clock.now)
    let ledger = try SQLiteLedger(directory: project.state, clock: clock.wall)
    let gate = Gate(places: 8, terms: try terms(window, clock, waits: waits))
    let sleep: @Sendable (Duration) async throws -> Void = { time in
      try await clock.sleep(time)
      // Else the clock would run through the hours before they are looked at.
      try await Task.sleep(for: .milliseconds(1))
    }
    let engine = rig.engine(
      try SwiftRecipe(), ledger: ledger, seat: gate.join("test"), report: report,
      patience: waits ? sleep : nil)
    return (await engine.run(), clock.now - start)
  }

  @Test("a run outside of them begins nothing, and says what is left and when they begin")
  func closed() async throws {
    let (summary, _) = try await run(hours, waits: false)
    #expect(summary.sent == 0 && summary.left == 3, "\(summary)")
    #expect(summary.stop == .closed(hours: hours, opens: "2033-05-18 04:00"))
    #expect(try await run("03:00-04:00", waits: false).summary.sent == 3)
  }

  @Test("a run that waits for them says so once, and sends everything then")
  func waits() async throws {
    let said = Mutex<[String]>([])
    let (summary, passed) = try await run(hours, waits: true) { event in
      if case .watching(let what) = event { said.withLock { $0.append(what) } }
    }
    #expect(summary.sent == 3 && summary.stop == nil, "\(summary)")
    #expect(passed >= .seconds(1600) && passed < .seconds(5000), "\(passed)")
    #expect(said.withLock { $0 } == ["nothing is begun before 2033-05-18 04:00 (04:00-06:00)"])
  }

  @Test("a watching engine waits for them, and goes on by itself", .timeLimit(.minutes(1)))
  func watching() async throws {
    let clock = VirtualClock(runsByItself: false)
    let rig = try await Rig(project, clock: clock.wall)
    let tree = ToldTree()
    let watching = try WatchRig(
      rig, try SwiftRecipe(), clock: clock,
      gate: Gate(places: 2, terms: try terms(hours, clock, waits: false)))
    let summary = try await watching.watch(through: tree.open) { events in
      #expect(await events.news() == "nothing is begun before 2033-05-18 04:00 (04:00-06:00)")
      await clock.flow { for _ in 0..<3 { #expect(await events.sent() != nil) } }
    }
    #expect(summary.sent == 3, "\(summary)")
  }
}
