import Foundation
import Ingestion
import ServiceTestSupport
import Testing

@Suite("Whatever befalls a run")
struct ScheduleTests {
  /// How many schedules; `scripts/faults N` sets it.
  static let count = Int(ProcessInfo.processInfo.environment["MOONTIDE_FAULTS"] ?? "") ?? 50
  /// The one schedule that `scripts/faults --seed` asks for.
  static let seed = UInt64(ProcessInfo.processInfo.environment["MOONTIDE_FAULT_SEED"] ?? "")
  /// How many have their files in memory at once.
  private static let atOnce = 6

  @Test("each file is completed exactly once with its bytes, and nothing is left PENDING")
  func schedules() async throws {
    let first = Self.seed ?? UInt64.random(in: 1...(UInt64.max >> 1))
    let seeds = (0..<UInt64(Self.seed == nil ? Self.count : 1)).map { first + $0 }
    print("faults: \(seeds.count) schedules, seeds \(first) to \(first + UInt64(seeds.count) - 1)")
    var faults = 0
    try await withThrowingTaskGroup(of: Int.self) { group in
      for (index, seed) in seeds.enumerated() {
        if index >= Self.atOnce { faults += try await group.next() ?? 0 }
        group.addTask { try await travel(seed) }
      }
      for try await given in group { faults += given }
    }
    print("faults: \(seeds.count) schedules ended, \(faults) faults in all")
    #expect(faults > 0)
  }

  /// Sends the schedule's files to the end, and gives how many faults there were.
  private func travel(_ seed: UInt64) async throws -> Int {
    let schedule = Schedule(seed: seed)
    // A wait that ends too early is one more fault here.
    try await FaultyRoad.with(schedule.files, patience: .seconds(1), faults: schedule.director.decide) {
      road in
      let note: () -> Comment = {
        "rerun: scripts/faults --seed \(schedule.seed)\n\(schedule.director.given.joined(separator: "\n"))"
      }
      guard let summary = try await road.runUntilDone(transfers: schedule.transfers) else {
        Issue.record("the runs never end; \(note())")
        return
      }
      #expect(summary.isClean && summary.left == 0, note())
      #expect(try await road.faults(of: schedule.files) == [], note())
      let again = try await road.run()
      #expect(again.sent == 0 && again.alreadyDone == schedule.files.count, note())
      #expect(try await road.faults(of: schedule.files) == [], note())
    }
    return schedule.director.given.count
  }
}
