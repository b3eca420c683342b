import Foundation
import Testing

/// A child process that ends before and after each durable write and each call of the service, in turn.
@Suite("A run that ends at a named instant", .timeLimit(.minutes(60)))
struct CrashPointTests {
  /// What happens between the crash and the run that is to put everything right.
  enum Meanwhile: CaseIterable {
    case nothing
    /// The next run ends at the same instant.
    case sameAgain
    /// The next run ends at a later instant of the same name.
    case laterToo
    /// The next run ends soon at one of its own, and the one after it a little later.
    case soonToo
    case contentChanges, partChanges, fileGoes, recipeChanges
  }

  /// Each so manieth instant is taken, in one of the ways; 1: each one, in all ways.
  private static let stride =
    max(Int(ProcessInfo.processInfo.environment["MOONTIDE_CRASH_STRIDE"] ?? "") ?? 8, 1)

  @Test("is put right by the next: all sent once and whole, nothing pending, nothing done once is done again")
  func everyInstant() async throws {
    let points = try await CrashProject.points()
    let start = Int.random(in: 0..<Self.stride)
    let taken = Swift.stride(from: start, to: points.count, by: Self.stride)
    print(
      "crash points: \(points.count), of which each \(Self.stride). from \(start) on is taken (MOONTIDE_CRASH_STRIDE)"
    )
    #expect(points.count > 100 && Set(points).count == points.count)
    for name in ["create", "upload", "complete", "cancel", "record done", "once", "set", "leave"] {
      #expect(points.contains("before \(name)#1") && points.contains("after \(name)#1"), "\(name)")
    }
    #expect(points.contains("amid prepare#3"))
    for (index, position) in taken.enumerated() {
      let ways =
        Self.stride == 1 ? Meanwhile.allCases : [Meanwhile.allCases[index % Meanwhile.allCases.count]]
      for way in ways {
        try await take(points[position], way)
        if Self.stride == 1 { try await take(points[position], way, transfers: 3) }
      }
    }
  }

  @Test("is put right by the next also where it was asked to try again what had failed")
  func whileAsked() async throws {
    let points = try await CrashProject.points(isRetrying: true)
    #expect(points.contains("before settle#1") && points.contains("after settle#1"), "\(points)")
    let start = Int.random(in: 0..<Self.stride)
    for position in Swift.stride(from: start, to: points.count, by: Self.stride) {
      let project = try await CrashProject.finished()
      let note = "\(points[position]), while asked to try again"
      #expect(try await project.run(crashAt: points[position], isRetrying: true).status == 137, "\(note)")
      try await expectRest(project, note)
    }
  }

  private func take(_ point: String, _ meanwhile: Meanwhile, transfers: Int = 1) async throws {
    let note = "\(point), then \(meanwhile), \(transfers) at once"
    var project = try CrashProject()
    let first = try await project.run(crashAt: point, transfers: transfers)
    #expect(first.status == 137 || transfers > 1, "\(note): \(first)")
    switch meanwhile {
    case .nothing: break
    case .sameAgain: _ = try await project.run(crashAt: point, transfers: transfers)
    case .laterToo: _ = try await project.run(crashAt: Self.next(point), transfers: transfers)
    case .soonToo:
      for number in [Int.random(in: 1...4), Int.random(in: 3...12)] {
        _ = try await project.run(crashAt: "any#\(number)", transfers: transfers)
      }
    case .contentChanges: try project.write("other content of a", to: "a.md")
    case .partChanges: try project.write("chapter one\nchapter two, changed", to: "book.txt")
    case .fileGoes: try project.remove("sub/b.md")
    case .recipeChanges: try project.changeRecipe()
    }
    try await expectRest(project, note, transfers: transfers)
  }

  /// Runs to the end, and checks that all is well then and nothing left to do.
  private func expectRest(_ project: CrashProject, _ note: String, transfers: Int = 1) async throws {
    // The handler that fails once has its second try in the second run.
    for _ in 1...2 {
      let run = try await project.run(transfers: transfers)
      #expect(run.status == 0 && run.lastLine.hasSuffix("to the end"), "\(note): \(run)")
    }
    let last = try await project.run(transfers: transfers)
    #expect(
      last.lastLine.hasPrefix("0 sent") && last.lastLine.hasSuffix("0 steps failed, 0 problems, to the end"),
      "\(note): \(last)")
    try await project.check(note)
  }

  /// The next instant of the same name.
  private static func next(_ point: String) -> String {
    let parts = point.split(separator: "#")
    return "\(parts[0])#\((Int(parts.last ?? "") ?? 0) + 1)"
  }
}
