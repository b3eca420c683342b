import FileSessions
import Foundation
import Ingestion
import Synchronization
import Testing

/// What a network, or a service behind one, can do to a run; the service itself is the real local one.
@Suite("A run over a network")
struct RemoteServiceTests {
  private static let lost = FaultyService.Fault.answered(FaultyService.noAnswer)

  /// Sends one file of a purpose through faults, each call with three tries, and checks that it arrived once.
  private func send(
    purpose: Purpose?, _ faults: [FaultyService.Call: [FaultyService.Fault?]], cancelled: Int = 0
  ) async throws -> FaultyService {
    let project = try TemporaryProject()
    try project.write("the content", to: "a.md")
    let rig = try await Rig(project)
    let faulty = FaultyService(rig.store.service(), faults)
    let recipe = try SwiftRecipe(afterFailure: .remove) { _ in .send(Wishes(purpose: purpose)) }
    let run = try await rig.run(recipe, wrap: { _ in faulty }, attempts: 3)
    #expect(run.summary.sent == 1 && run.summary.isClean && run.summary.stop == nil, "\(run.summary)")
    let sessions = try await rig.sessions()
    let completed = sessions.filter { $0.status == .completed }
    #expect(completed.count == 1)
    #expect(sessions.filter { $0.status == .cancelled }.count == cancelled)
    #expect(sessions.count == 1 + cancelled, "none is left pending")
    #expect(try await rig.content(of: completed[0]) == "the content")
    return faulty
  }

  @Test(
    "sends the bytes again from the first one when no answer came", arguments: [nil, Purpose.knowledgeUser])
  func lostUpload(purpose: Purpose?) async throws {
    _ = try await send(purpose: purpose, [.upload: [Self.lost]])
    _ = try await send(purpose: purpose, [.upload: [.refused(FaultyService.noAnswer), Self.lost]])
  }

  @Test("settles by the md5 whether bytes that cannot be replaced are the right ones")
  func ambiguousUpload() async throws {
    _ = try await send(purpose: .knowledgeUser, [.upload: [.corrupted]], cancelled: 1)
    // Where they can be replaced, they are.
    _ = try await send(purpose: nil, [.upload: [.corrupted]])
  }

  @Test("cancels the session of an upload URL that has run out, and opens another under a new key")
  func expiredSignature() async throws {
    let faulty = try await send(
      purpose: nil, [.upload: [.refused(ServiceError(.uploadRefused, "expired"))]], cancelled: 1)
    let keys = faulty.keys(.create)
    #expect(keys.count == 2 && Set(keys).count == 2 && !keys.contains(nil))
  }

  @Test("opens no second session and makes no conflict when an answer is lost", arguments: [1, 2])
  func lostAnswers(times: Int) async throws {
    let lost = [FaultyService.Fault?](repeating: Self.lost, count: times)
    let faulty = try await send(purpose: .knowledgeUser, [.create: lost, .complete: lost])
    for call in [FaultyService.Call.create, .complete] {
      let keys = faulty.keys(call)
      #expect(keys.count == times + 1 && Set(keys).count == 1 && !keys.contains(nil), "\(call)")
    }
    let cancelling = try await send(
      purpose: nil, [.upload: [.refused(ServiceError(.uploadRefused, "expired"))], .cancel: lost],
      cancelled: 1)
    let keys = cancelling.keys(.cancel)
    #expect(keys.count == times + 1 && Set(keys).count == 1 && !keys.contains(nil))
  }

  @Test("asks for the session when the answer to its completion makes no sense")
  func strangeCompletion() async throws {
    let strange = ServiceError(.unexpected, "<html>")
    _ = try await send(purpose: nil, [.complete: [.answered(strange)]])
    _ = try await send(purpose: nil, [.complete: [.refused(strange)]])
  }

  @Test("leaves a session alone that only this machine's clock calls expired")
  func wrongClock() async throws {
    let project = try TemporaryProject()
    try project.write("the content", to: "a.md")
    let rig = try await Rig(project)
    let recipe = try SwiftRecipe()
    // No upload arrives, and the run ends.
    let away = try await rig.run(
      recipe, wrap: { FaultyService($0, [.upload: [.refused(FaultyService.noAnswer)]]) })
    #expect(away.summary.stop != nil)
    let later = WallClock { WallClock.system.now + .seconds(1_000_000) }
    #expect(try await rig.run(recipe, clock: later).summary.sent == 1)
    let sessions = try await rig.sessions()
    #expect(sessions.filter { $0.status == .completed }.count == 1)
    #expect(sessions.filter { $0.status == .pending }.isEmpty)
  }

  @Test(
    "opens a new session when the one before has expired, and sends once, however long it took",
    arguments: [2 * 3600, 23 * 3600, 25 * 3600, 100 * 3600])
  func muchLater(seconds: Int) async throws {
    // The process dies at each of its first calls, and comes back much later.
    for call in 1...6 {
      let project = try TemporaryProject()
      try project.write("the content", to: "a.md")
      let time = Offset()
      let rig = try await Rig(project, clock: WallClock { WallClock.system.now + time.value })
      let recipe = try SwiftRecipe { _ in .send(Wishes(purpose: .knowledgeUser)) }
      _ = try await rig.run(recipe, crash: CrashPoint(call: call, after: true))
      time.set(.seconds(seconds))
      let run = try await rig.run(recipe)
      #expect(run.summary.isClean && run.summary.stop == nil, "call \(call): \(run.summary)")
      let sessions = try await rig.sessions()
      #expect(sessions.filter { $0.status == .completed }.count == 1, "call \(call)")
      #expect(sessions.filter { $0.status == .pending }.isEmpty, "call \(call)")
    }
  }

  static let outages: [(FaultyService.Call, ServiceError)] = [
    (.create, ServiceError(.unauthorized, "no such key")), (.create, ServiceError(.forbidden, "scope")),
    (.create, ServiceError(.serviceUnavailable, "down")),
    (.create, ServiceError(.internalServerError, "down")),
    (.create, FaultyService.noAnswer), (.create, ServiceError(.unexpected, "<html>")),
    (.create, ServiceError(.notFound, "wrong URL")), (.create, ServiceError(.tooManyRequests, "slow down")),
    (.create, ServiceError(.badRequest, "version", code: "version_header")),
    (.upload, FaultyService.noAnswer), (.upload, ServiceError(.serviceUnavailable, "SlowDown")),
    (.complete, ServiceError(.unauthorized, "revoked")), (.complete, ServiceError(.forbidden, "scope")),
    (.complete, ServiceError(.gatewayTimeout, "down")),
  ]

  @Test("stops for an outage, blames no file for it, and goes on when it is over", arguments: outages)
  func outage(call: FaultyService.Call, error: ServiceError) async throws {
    let project = try TemporaryProject()
    for number in 1...3 { try project.write("content \(number)", to: "\(number).md") }
    let rig = try await Rig(project)
    let recipe = try SwiftRecipe(afterFailure: .remove)
    let standing = [FaultyService.Fault?](repeating: .refused(error), count: 100)
    let run = try await rig.run(recipe, wrap: { FaultyService($0, [call: standing]) }, attempts: 3)
    #expect(run.summary.stop == .service(error))
    #expect(run.summary.failed == 0 && run.summary.sent == 0 && run.summary.left == 3)
    #expect(recipe.failures.withLock { $0.isEmpty })
    #expect(try await rig.run(recipe).summary.sent == 3)
    #expect(try await rig.sessions().map(\.status) == [.completed, .completed, .completed])
  }
}

/// How far a clock is ahead.
private final class Offset: Sendable {
  private let state = Mutex(Duration.zero)

  var value: Duration { state.withLock { $0 } }

  func set(_ value: Duration) { state.withLock { $0 = value } }
}
