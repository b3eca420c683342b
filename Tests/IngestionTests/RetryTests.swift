import FileSessions
import Foundation
import Ingestion
import SQLiteLedger
import Synchronization
import Testing
import Workspace

@Suite("What failed has its turn again", .timeLimit(.minutes(5)))
struct RetryTests {
  private let project: TemporaryProject
  private let rig: Rig

  init() async throws {
    project = try TemporaryProject()
    rig = try await Rig(project)
    try project.write("x", to: "a.md")
  }

  private func word(_ event: RunEvent) -> String? {
    switch event {
    case .comesBack: "comes back"
    case .failed(_, _, let isNew): isNew ? "failed" : "failed before"
    case .sent: "sent"
    case .stepFailed: "step failed"
    case .deferred: "deferred"
    default: nil
    }
  }

  /// Has the file change under the first uploads.
  private func meddling(_ times: Int) -> (any FileService) -> any FileService {
    let calls = CallsLeft(times)
    return { [project] base in
      MeddlingService(base: base) {
        if calls.take() { try? project.write(String(repeating: "y", count: calls.left + 10), to: "a.md") }
      }
    }
  }

  @Test("in a last round, where the reason may have passed; `failed` is not called before")
  func lastRound() async throws {
    let recipe = try SwiftRecipe(afterFailure: .move(to: "dead"))
    let (summary, events) = try await rig.run(recipe, wrap: meddling(4))
    #expect(events.compactMap(word) == ["comes back", "sent"])
    #expect(summary.found == 1 && summary.sent == 1 && summary.failed == 0 && summary.isClean, "\(summary)")
    #expect(recipe.failures.withLock { $0 }.isEmpty && project.has("a.md"))
  }

  @Test("for the service's passing refusal of one file too, and not where it means it")
  func refusals() async throws {
    let passing = ServiceError(.unexpected, "an answer that cannot be read")
    let (first, _) = try await rig.run(
      try SwiftRecipe(), wrap: { FaultyService($0, [.upload: [.refused(passing)]]) })
    #expect(first.sent == 1 && first.isClean)
    try project.write("y", to: "b.md")
    let final = ServiceError(.badRequest, "no", code: "invalid_value")
    let recipe = try SwiftRecipe(afterFailure: .copy(to: "dead"))
    let (second, events) = try await rig.run(
      recipe, wrap: { FaultyService($0, [.upload: [.refused(final)]]) })
    #expect(second.failed == 1 && events.compactMap(word) == ["failed"])
    #expect(recipe.failures.withLock { $0 } == ["b.md"])
    // It waits for a change, or for somebody who asks.
    #expect(try await rig.run(recipe).summary.sent == 0)
  }

  @Test("and is given up after it: `failed` is called once a run, and told how often that was")
  func givenUp() async throws {
    let recipe = try SwiftRecipe(afterFailure: .copy(to: "dead"))
    for run in 1...2 {
      let (summary, events) = try await rig.run(recipe, wrap: meddling(100))
      #expect(summary.found == 1 && summary.failed == 1, "\(summary)")
      #expect(events.compactMap(word) == ["comes back", "failed"])
      #expect(recipe.tries.withLock { $0 } == Array(1...run).map { Optional($0) })
    }
    #expect(try await rig.run(recipe).summary.sent == 1)
  }

  @Test("and is given up where the file is gone by then")
  func gone() async throws {
    let recipe = try SwiftRecipe(afterFailure: .copy(to: "dead"))
    let (summary, events) = try await rig.run(
      recipe,
      wrap: { [project] base in
        MeddlingService(base: base) {
          try? project.write("changed", to: "a.md")
          try? project.remove("a.md")
        }
      })
    #expect(events.compactMap(word) == ["comes back", "failed"])
    #expect(summary.found == 1 && summary.failed == 1 && recipe.failures.withLock { $0.count } == 1)
  }

  @Test("is left for the next run where this one is cut off before")
  func cutOff() async throws {
    let recipe = try SwiftRecipe(afterFailure: .copy(to: "dead"))
    try project.write("z", to: "b.md")
    let ledger = try SQLiteLedger(directory: project.state, clock: .system)
    let service = meddling(4)(rig.store.service())
    let engine = rig.engine(recipe, service: service, ledger: ledger, allowance: Allowance(files: 1))
    let summary = await engine.run()
    #expect(summary.left == 2 && summary.failed == 0, "\(summary)")
    #expect(recipe.failures.withLock { $0 }.isEmpty)
    #expect(await rig.engine(recipe, ledger: ledger).run().sent == 2)
  }

  @Test("when `failed` wants that: the file is deferred, and asked about when it is due, in a later run too")
  func wished() async throws {
    let recipe = try SwiftRecipe(afterFailure: .retry(after: 600)) { _ in .reject(reason: "not yet") }
    let now = Timestamp(milliseconds: 2_000_000_000_000)
    let (first, events) = try await rig.run(recipe, clock: WallClock { now })
    #expect(first.deferred == 1 && first.rejected == 0 && first.isClean, "\(first)")
    #expect(events.compactMap(word) == ["failed", "deferred"])
    let reader = try #require(try LedgerReader(directory: project.state))
    let story = try #require(try await reader.stories(of: try ProjectPath("a.md")).first)
    #expect(story.job.dueAt == now + .seconds(600) && story.job.reason?.contains("not yet") == true)

    let early = try await rig.run(recipe, clock: WallClock { now + .seconds(599) }).summary
    #expect(early.deferred == 1 && recipe.asked.withLock { $0.count } == 1)
    _ = try await rig.run(recipe, clock: WallClock { now + .seconds(600) })
    #expect(recipe.asked.withLock { $0.count } == 2)
    #expect(recipe.tries.withLock { $0 } == [1, 2])
    // Other content begins anew.
    try project.write("other", to: "a.md")
    _ = try await rig.run(recipe, clock: WallClock { now + .seconds(601) })
    #expect(recipe.tries.withLock { $0 } == [1, 2, 1])
  }

  @Test("also what was to follow on a file that is sent; the upload never")
  func steps() async throws {
    let recipe = try SwiftRecipe(after: .move(to: "done"), stepFaults: 1)
    let (first, events) = try await rig.run(recipe)
    #expect(events.compactMap(word) == ["sent", "step failed"])
    #expect(first.found == 1 && first.sent == 1 && first.stepsFailed == 0 && first.isClean, "\(first)")
    #expect(project.has("done/a.md"))
    #expect(try await rig.sessions().count == 1)
  }

  @Test("and in later runs, where that fails again; it counts once")
  func stepsLater() async throws {
    let recipe = try SwiftRecipe(after: .move(to: "done"), stepFaults: 4)
    for _ in 1...2 {
      let summary = try await rig.run(recipe).summary
      #expect(summary.found == 1 && summary.stepsFailed == 1 && !summary.isClean, "\(summary)")
    }
    #expect(try await rig.run(recipe).summary.isClean)
    #expect(project.has("done/a.md"))
    #expect(try await rig.sessions().count == 1)
  }

  @Test("by itself while watching, after ever longer waits")
  func watching() async throws {
    let clock = VirtualClock(runsByItself: true)
    let tree = ToldTree()
    let recipe = try SwiftRecipe(afterFailure: .copy(to: "dead"), rediscovery: .seconds(86_400))
    let watch = try WatchRig(rig, recipe, clock: clock, wrap: meddling(12))
    let waits = Mutex<[Duration]>([])
    _ = try await watch.watch(through: tree.open) { events in
      // Each try is four uploads; the fourth try sends it.
      for _ in 1...3 {
        let due = await events.next { if case .comesBack(_, _, let at) = $0 { at } else { nil } }
        waits.withLock { $0.append((due ?? clock.now) - clock.now) }
      }
      #expect(await events.sent() == "a.md")
    }
    #expect(recipe.failures.withLock { $0 }.isEmpty)
    #expect(try await rig.sessions().filter { $0.status == .completed }.count == 1)
  }

  @Test("as steps do while watching, each counted once")
  func watchingSteps() async throws {
    let clock = VirtualClock(runsByItself: true)
    let tree = ToldTree()
    let recipe = try SwiftRecipe(after: .move(to: "done"), rediscovery: .seconds(86_400), stepFaults: 3)
    let watch = try WatchRig(rig, recipe, clock: clock)
    let began = clock.now
    let summary = try await watch.watch(through: tree.open) { events in
      await events.next { if case .finished = $0 { true } else { nil } }
    }
    #expect(project.has("done/a.md") && summary.sent == 1 && summary.stepsFailed == 1, "\(summary)")
    // 15, 30 and 60 seconds, each a quarter shorter at the most.
    #expect(clock.now - began >= .seconds(78))
    #expect(try await rig.sessions().count == 1)
  }

  @Test("a recipe's own policy is that of its calls")
  func policy() async throws {
    let away = ServiceError(.serviceUnavailable, "away")
    let faults: [FaultyService.Fault?] = Array(repeating: .refused(away), count: 4)
    var policy = RetryPolicy(
      attempts: 1, firstWait: .zero, longestWait: .zero, jitter: 0, longestAskedWait: .zero)
    policy.attemptsByKind = [.serviceUnavailable: 5]
    let (patient, _) = try await rig.run(
      try SwiftRecipe(retries: policy), wrap: { FaultyService($0, [.create: faults]) })
    #expect(patient.sent == 1)
    try project.write("y", to: "b.md")
    policy.attemptsByKind = [.serviceUnavailable: 4]
    let (other, _) = try await rig.run(
      try SwiftRecipe(retries: policy), wrap: { FaultyService($0, [.create: faults]) })
    #expect(other.sent == 0 && other.stop == .service(away))
  }

  @Test("waits double up to the longest, and are shortened at random by a quarter")
  func waits() {
    let comeback = Comeback.watching
    #expect(
      (1...8).map { comeback.wait(round: $0, chance: 0) }
        == [15, 30, 60, 120, 240, 480, 900, 900].map { .seconds($0) })
    #expect(comeback.wait(round: 1, chance: 1) == .seconds(11.25))
  }
}
