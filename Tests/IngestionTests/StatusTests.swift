import FileSessions
import Ingestion
import Testing
import Workspace

@Suite("A recipe that follows statuses")
struct StatusTests {
  private let project: TemporaryProject
  private let rig: Rig

  init() async throws {
    project = try TemporaryProject()
    rig = try await Rig(project)
    try project.write("x", to: "a.md")
  }

  @Test("is told of each that a session reaches, in order")
  func order() async throws {
    let recipe = try SwiftRecipe(followsStatus: true)
    #expect(try await rig.run(recipe).summary.isClean)
    #expect(recipe.statuses.withLock { $0 } == ["a.md PENDING", "a.md COMPLETED"])
    #expect(try await rig.run(recipe).summary.alreadyDone == 1)
    #expect(recipe.statuses.withLock { $0.count } == 2)
  }

  @Test("is told of a session that is given up, and of the one that follows")
  func cancelled() async throws {
    let recipe = try SwiftRecipe(followsStatus: true)
    let calls = CallsLeft(1)
    let run = try await rig.run(
      recipe,
      wrap: { base in
        MeddlingService(base: base) {
          if calls.take() { try? project.write("changed", to: "a.md") }
        }
      })
    #expect(run.summary.sent == 1)
    #expect(
      recipe.statuses.withLock { $0 } == [
        "a.md PENDING", "a.md CANCELLED", "a.md PENDING", "a.md COMPLETED",
      ])
  }

  @Test(
    "is told of the end of a session that was taken up after a crash",
    arguments: [(2, true), (3, true), (5, false), (6, true), (8, true), (9, true)])
  func crash(call: Int, after: Bool) async throws {
    let recipe = try SwiftRecipe(after: .copy(to: "done"), followsStatus: true)
    _ = try await rig.run(recipe, crash: CrashPoint(call: call, after: after))
    #expect(try await rig.run(recipe).summary.problems == 0)
    // Told twice at the most, and never in another order.
    let told = recipe.statuses.withLock { $0 }
    #expect(Set(told) == ["a.md PENDING", "a.md COMPLETED"], "\(told)")
    #expect(told == told.sorted(by: >), "\(told)")
  }

  @Test("harms no file when it fails: that is a problem, and is counted")
  func failing() async throws {
    let recipe = try SwiftRecipe(
      after: .copy(to: "done"), followsStatus: true, statusFailure: Failure(.script, "no such field"))
    let (summary, events) = try await rig.run(recipe)
    #expect(summary.sent == 1 && summary.problems == 2 && summary.stepsFailed == 0)
    #expect(recipe.completions.withLock { $0.count } == 1)
    let problems = events.filter { if case .problem("a.md", "no such field", _) = $0 { true } else { false } }
    #expect(problems.count == 2)
  }
}
