import FileSessions
import Foundation
import Ingestion
import SQLiteLedger
import Synchronization
import Testing
import Workspace

@Suite("What people ask of a run")
struct RequestTests {
  private let project: TemporaryProject
  private let rig: Rig

  init() async throws {
    project = try TemporaryProject()
    rig = try await Rig(project)
  }

  private func desk() throws -> LedgerDesk { try LedgerDesk(directory: project.state, clock: .system) }

  private func answers(_ events: [RunEvent]) -> [String] {
    events.compactMap { event in if case .answered(let what) = event { what } else { nil } }
  }

  @Test("a file that failed for good waits, until somebody asks that it be tried again")
  func retry() async throws {
    try project.write("x", to: "a.md")
    let refusing = try SwiftRecipe { _ in .reject(reason: "no") }
    #expect(try await rig.run(refusing).summary.rejected == 1)
    // The same version, so that nothing but the request has it asked again.
    let accepting = try SwiftRecipe()
    #expect(try await rig.run(accepting).summary.sent == 0)
    #expect(accepting.asked.withLock { $0 }.isEmpty)
    try await desk().leave(.retry(JobSelection()))
    let (summary, events) = try await rig.run(accepting)
    #expect(summary.sent == 1)
    #expect(answers(events) == ["1 file is tried again"])
    #expect(answers(try await rig.run(accepting).events).isEmpty)
  }

  @Test("a file that was sent meanwhile is forgotten, and sent again, only where that is said")
  func forget() async throws {
    try project.write("x", to: "a.md")
    try await desk().leave(.forget(JobSelection(), sentToo: false))
    #expect(try await rig.run(try SwiftRecipe()).summary.sent == 1)
    try await desk().leave(.forget(JobSelection(), sentToo: false))
    let kept = try await rig.run(try SwiftRecipe()).summary
    #expect(kept.sent == 0 && kept.alreadyDone == 1 && kept.problems == 1)
    try await desk().leave(.forget(JobSelection(), sentToo: true))
    #expect(try await rig.run(try SwiftRecipe()).summary.sent == 1)
  }

  @Test("a file that is not there is not tried again, and that is said")
  func gone() async throws {
    try project.write("x", to: "a.md")
    _ = try await rig.run(try SwiftRecipe { _ in .reject(reason: "no") })
    try project.remove("a.md")
    try await desk().leave(.retry(JobSelection()))
    let (summary, events) = try await rig.run(try SwiftRecipe())
    #expect(summary.problems == 1 && answers(events) == ["0 files are tried again"], "\(events)")
    let reader = try #require(try LedgerReader(directory: project.state))
    let story = try #require(try await reader.stories(of: try ProjectPath("a.md")).first)
    #expect(!story.job.isToBeRetried)
  }

  @Test("a file that was moved away when it was given up is put back and sent")
  func putBack() async throws {
    try project.write("x", to: "in/a.md")
    let refusing = try SwiftRecipe(root: "in", afterFailure: .move(to: "dead")) { _ in .reject(reason: "no") }
    _ = try await rig.run(refusing)
    #expect(project.has("dead/a.md") && !project.has("in/a.md"))
    try await desk().leave(.retry(JobSelection()))
    let (summary, _) = try await rig.run(try SwiftRecipe(root: "in"))
    #expect(summary.sent == 1 && project.has("in/a.md") && !project.has("dead/a.md"))
  }

  @Test("a file that has changed where it was moved is not put back, and that is said")
  func putBackChanged() async throws {
    try project.write("x", to: "in/a.md")
    let refusing = try SwiftRecipe(root: "in", afterFailure: .move(to: "dead")) { _ in .reject(reason: "no") }
    _ = try await rig.run(refusing)
    try project.write("something else", to: "dead/a.md")
    try await desk().leave(.retry(JobSelection()))
    let (summary, _) = try await rig.run(try SwiftRecipe(root: "in"))
    #expect(summary.sent == 0 && summary.problems == 1 && project.has("dead/a.md"))
  }

  @Test("a run that is going on does what is asked, also for files that it had passed by")
  func whileRunning() async throws {
    for number in 1...3 { try project.write("x", to: "\(number).md") }
    _ = try await rig.run(try SwiftRecipe { _ in .reject(reason: "not today") })
    let desk = try desk()
    let recipe = NamingRecipe(pages: [["1.md"], ["2.md"], ["3.md"]]) { page in
      if page == 1 { try? await desk.leave(.retry(JobSelection())) }
    }
    let (summary, events) = try await rig.run(recipe)
    #expect(answers(events).first == "3 files are tried again", "\(answers(events))")
    // Those that it had counted as rejected count once, as what they are in the end.
    #expect(summary.found == 3 && summary.sent == 3 && summary.rejected == 0, "\(summary)")
    #expect(try await rig.sessions().count == 3)
  }

  @Test("a paused run begins nothing, says since when, and goes on once the pause has ended")
  func pause() async throws {
    try project.write("x", to: "a.md")
    _ = try await rig.run(try SwiftRecipe(include: ["none"]))
    try await desk().pause(profile: "local", recipe: "test")
    let (summary, _) = try await rig.run(try SwiftRecipe())
    guard case .paused(let pause)? = summary.stop else {
      Issue.record("It was not paused: \(summary)")
      return
    }
    #expect(summary.sent == 0 && pause.recipe == "test")
    #expect(summary.found == 1 && summary.left == 1, "\(summary)")
    #expect(try await rig.sessions().isEmpty)
    _ = try await desk().resume(profile: nil, recipe: nil)
    #expect(try await rig.run(try SwiftRecipe()).summary.sent == 1)
  }

  @Test("adopted files count as sent; one that changes is sent")
  func adoption() async throws {
    for name in ["a", "b"] { try project.write(name, to: "\(name).md") }
    let recipe = try SwiftRecipe()
    do {
      let ledger = try SQLiteLedger(directory: project.state, clock: .system)
      let adoption = Adoption(engine: rig.engine(recipe, ledger: ledger))
      let found = try await adoption.survey()
      #expect(found.adopted == 2 && found.bytes == 2)
      #expect(try await adoption.perform().adopted == 2)
      #expect(try await adoption.survey().adopted == 0)
    }
    let (summary, _) = try await rig.run(recipe)
    #expect(summary.sent == 0 && summary.alreadyDone == 2)
    try project.touch("a.md")
    try project.write("changed", to: "b.md")
    let (next, _) = try await rig.run(recipe)
    #expect(next.sent == 1 && next.touched == 1)
    #expect(recipe.asked.withLock { $0 } == ["b.md"])
  }
}

/// A recipe that names its files by itself, page by page, and sends each.
private struct NamingRecipe: Recipe {
  let pages: [[String]]
  /// Called before each page, with its number from 0.
  let before: @Sendable (Int) async -> Void

  var name: String { "test" }
  var version: String { "1" }
  var handlesCompleted: Bool { false }
  var handlesFailed: Bool { false }
  var quarantine: String? { nil }

  func discovery() -> Discovery {
    let number = Mutex(0)
    return .named { () async throws(Failure) in
      let page = number.withLock { number in
        defer { number += 1 }
        return number
      }
      await before(page)
      return page < pages.count
        ? pages[page].compactMap { (try? ProjectPath($0)).map { NamedFile($0) } } : nil
    }
  }

  func decide(_ candidates: [Candidate]) -> [Ruling] { candidates.map { _ in .send(Wishes()) } }
  func completed(_ file: SettledFile, session: FileSession) -> AfterAction? { nil }
  func failed(_ file: SettledFile, failure: Failure) -> AfterAction? { nil }
  func summary(_ summary: RunSummary) {}
}
