import FileSessions
import Foundation
import Ingestion
import SQLiteLedger
import Synchronization
import Testing
import Workspace

@Suite("What a recipe keeps with a job")
struct DataTests {
  private let project: TemporaryProject
  private let rig: Rig
  private let one = JobData(recorded: #"{"n":1}"#)
  private let two = JobData(recorded: #"{"n":2}"#)

  init() async throws {
    project = try TemporaryProject()
    rig = try await Rig(project)
    try project.write("x", to: "a.md")
  }

  private func file(_ data: JobData?) throws -> [NamedFile] {
    [NamedFile(try ProjectPath("a.md"), data: data)]
  }

  private func job() async throws -> Job {
    let reader = try #require(try LedgerReader(directory: project.state))
    return try #require(try await reader.stories(of: try ProjectPath("a.md")).first).job
  }

  @Test("stays with it into later runs, and is what it was decided with")
  func stays() async throws {
    let dead = CrashPoint(call: 3, after: false)
    let first = try SwiftRecipe(after: .copy(to: "done"), named: try file(one))
    _ = try await rig.run(first, crash: dead)
    #expect(dead.wasReached)
    #expect(try await job().phase.isUnderWay)
    let second = try SwiftRecipe(after: .copy(to: "done"), named: try file(two))
    #expect(try await rig.run(second).summary.sent == 1)
    #expect(second.seenData.withLock { $0 } == [#"completed a.md {"n":1}"#])
    #expect(try await job().data == one)
  }

  @Test("is what the decision says, where it says something")
  func decided() async throws {
    let recipe = try SwiftRecipe(after: .copy(to: "done"), named: try file(one)) { [two] _ in
      .send(Wishes(data: two))
    }
    _ = try await rig.run(recipe)
    #expect(recipe.seenData.withLock { $0 } == [#"completed a.md {"n":2}"#])
    let job = try await job()
    #expect(job.offered == one && job.data == two)
  }

  @Test(
    "has a file asked about again when discovery gives another one, unless it was sent",
    arguments: [
      (Ruling.skip(reason: nil), 1), (.reject(reason: "no"), 1), (.postpone(.seconds(900), reason: nil), 1),
      (.send(Wishes()), 0),
    ])
  func changes(ruling: Ruling, asked: Int) async throws {
    _ = try await rig.run(try SwiftRecipe(named: try file(one)) { _ in ruling })
    let same = try SwiftRecipe(named: try file(one))
    let again = try await rig.run(same)
    #expect(same.asked.withLock { $0 }.isEmpty && again.summary.sent == 0)
    let other = try SwiftRecipe(named: try file(two))
    #expect(try await rig.run(other).summary.sent == asked)
    #expect(other.asked.withLock { $0.count } == asked)
    #expect(try await rig.sessions().count == 1)
  }

  @Test("is in what `failed` sees, and goes with an export")
  func moves() async throws {
    let recipe = try SwiftRecipe(afterFailure: .copy(to: "dead"), named: try file(one)) { _ in
      .reject(reason: "no")
    }
    _ = try await rig.run(recipe)
    #expect(recipe.seenData.withLock { $0 } == [#"failed a.md {"n":1}"#])
    let lines = Mutex<[String]>([])
    let reader = try #require(try LedgerReader(directory: project.state))
    _ = try await reader.export(at: Timestamp(milliseconds: 0)) { line in lines.withLock { $0.append(line) } }
    let other = try TemporaryProject()
    let ledger = try SQLiteLedger(directory: other.state, clock: .system)
    let rest = Mutex(lines.withLock { $0[...] })
    #expect(try await ledger.load { rest.withLock { $0.popFirst() } } == 1)
    let path = try ProjectPath("a.md")
    #expect(try await ledger.jobs(profile: "local", recipe: "test", paths: [path])[path]?.data == one)
  }
}
