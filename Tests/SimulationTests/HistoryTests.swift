import Foundation
import Simulation
import Testing

@Suite("Whatever a project goes through")
struct HistoryTests {
  /// How many histories; `scripts/simulate N` sets it.
  static let count = Int(ProcessInfo.processInfo.environment["MOONTIDE_SIMULATIONS"] ?? "") ?? 200
  /// The one history that `scripts/simulate --seed` asks for.
  static let seed = UInt64(ProcessInfo.processInfo.environment["MOONTIDE_SIMULATION_SEED"] ?? "")
  /// How many are played at once.
  private static let atOnce = 4

  @Test("every promise of the engine is kept")
  func promises() async throws {
    let directory = NSTemporaryDirectory() + "/moontide-simulation-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let first = Self.seed ?? UInt64.random(in: 1...(UInt64.max >> 1))
    let seeds = (0..<UInt64(Self.seed == nil ? Self.count : 1)).map { first + $0 }
    print("simulation: \(seeds.count) histories, seeds \(first) to \(first + UInt64(seeds.count) - 1)")
    var faults = 0
    try await withThrowingTaskGroup(of: Int.self) { group in
      for (index, seed) in seeds.enumerated() {
        if index >= Self.atOnce { faults += try await group.next() ?? 0 }
        group.addTask {
          let report = try await History.play(seed: seed, below: directory)
          #expect(report.violations == [], Self.note(report))
          if Self.seed != nil { print(report.log.joined(separator: "\n")) }
          return report.faults
        }
      }
      for try await met in group { faults += met }
    }
    print("simulation: \(seeds.count) histories ended, \(faults) faults in all")
    #expect(faults > 0 || Self.seed != nil)
  }

  private static func note(_ report: History.Report) -> Comment {
    "rerun: scripts/simulate --seed \(report.seed)\n\(report.log.joined(separator: "\n"))"
  }
}
