import FileSessions
import Ingestion
import SQLiteLedger
import Synchronization
import Testing
import Workspace

@Suite("The order of candidates, and how many are under way")
struct OrderTests {
  private let project: TemporaryProject
  private let rig: Rig

  init() async throws {
    project = try TemporaryProject()
    rig = try await Rig(project)
  }

  @Test(
    "are taken in the order that is asked for",
    arguments: [
      (CandidateOrder.newest, ["b/2.md", "c.md", "a.md"]), (.oldest, ["a.md", "c.md", "b/2.md"]),
      (.smallest, ["c.md", "b/2.md", "a.md"]),
    ])
  func order(order: CandidateOrder, expected: [String]) async throws {
    for (number, (name, size)) in [("a.md", 30), ("c.md", 10), ("b/2.md", 20)].enumerated() {
      try project.write(String(repeating: "x", count: size), to: name)
      try project.age(name, modified: Timestamp(milliseconds: 1_700_000_000_000 + Int64(number) * 60_000))
    }
    let recipe = try SwiftRecipe(order: order)
    #expect(try await rig.run(recipe).summary.sent == 3)
    #expect(recipe.asked.withLock { $0 } == expected)
    let sent = try await rig.sessions().map(\.filename).reversed()
    #expect(Array(sent) == expected.map { String($0.split(separator: "/").last ?? "") })
  }

  @Test("more than fit on a page come in one order, each once, with what is known of them")
  func pages() async throws {
    for number in 0..<700 {
      try project.write("\(number)", to: "in/d\(number % 7)/\(number).md")
      let moment = Timestamp(milliseconds: 1_700_000_000_000 + Int64((number * 37) % 700) * 1000)
      try project.age("in/d\(number % 7)/\(number).md", modified: moment)
    }
    let seen = Mutex<[Candidate]>([])
    let recipe = try SwiftRecipe(
      root: "in", order: .oldest,
      ruling: { candidate in
        seen.withLock { $0.append(candidate) }
        return .skip(reason: nil)
      })
    #expect(try await rig.run(recipe).summary.skipped == 700)
    let candidates = seen.withLock { $0 }
    #expect(candidates.map(\.stamp.modified) == candidates.map(\.stamp.modified).sorted())
    #expect(Set(candidates.map(\.path)).count == 700)
    #expect(candidates.allSatisfy { "in/" + $0.relative == $0.path.string })
  }

  @Test("no more of a recipe's files are under way than its concurrency, however many places there are")
  func concurrency() async throws {
    for number in 1...12 { try project.write("\(number)", to: "\(number).md") }
    let most = Mutex((now: 0, most: 0))
    let counting = CountingService(base: rig.store.service()) { change in
      most.withLock { state in
        state.now += change
        state.most = max(state.most, state.now)
      }
    }
    let recipe = try SwiftRecipe(concurrency: 2)
    let summary = try await rig.run(recipe, wrap: { _ in counting }, transfers: 8).summary
    #expect(summary.sent == 12 && most.withLock { $0.most } == 2, "\(most.withLock { $0.most })")
  }
}

/// A service that tells how many sessions are being opened or sent to.
private struct CountingService: ForwardingService {
  let base: any FileService
  let change: @Sendable (Int) -> Void

  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    change(1)
    do { try await Task.sleep(for: .milliseconds(2)) } catch { throw .cancelled }
    return try await base.create(file, key: key)
  }
  func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession {
    defer { change(-1) }
    return try await base.complete(id, md5: md5, key: key)
  }
}
