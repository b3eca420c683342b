import FileSessions
import Ingestion
import Testing
import Workspace

@Suite("A delivery decides")
struct DeliveryTests {
  static let now = Timestamp(milliseconds: 1_000_000)
  static let md5 = MD5Digest(bytes: [UInt8](repeating: 7, count: 16))

  private func job(_ phase: Phase, expires: Timestamp? = now + .seconds(60)) throws -> Job {
    var job = Job(
      key: JobKey(profile: "local", recipe: "r", path: try ProjectPath("a.md")), relative: "a.md",
      phase: phase,
      stamp: FileStamp(size: 3, modified: 1, inode: 1), recipeVersion: "1")
    job.request = NewFile(filename: "a.md", mimeType: "text/markdown", sizeBytes: 3)
    job.idempotencyKey = "key-1"
    if phase == .opened || phase == .uploaded {
      job.session = Self.session(.pending, expires: expires)
      job.target = .local
      job.opens = 1
    }
    if phase == .uploaded { job.md5 = Self.md5 }
    return job
  }

  static func session(_ status: FileStatus, id: String = "fil_1", expires: Timestamp? = nil) -> FileSession {
    FileSession(
      id: id, filename: "a.md", mimeType: "text/markdown", sizeBytes: 3, status: status, createdAt: now,
      expiresAt: expires, completedAt: nil)
  }

  private func delivery(_ job: Job, _ situation: Delivery.Situation = .resumed) -> Delivery {
    Delivery(job, situation: situation, newKey: { "key-2" })
  }

  @Test("to repeat a request under its stored key")
  func replays() throws {
    var delivery = delivery(try job(.decided))
    let request = try #require(try job(.decided).request)
    #expect(delivery.start(now: Self.now) == .create(request, key: "key-1"))
  }

  @Test("to cancel what a repeated request gave when the file or the recipe has been overtaken")
  func overtaken() throws {
    var delivery = delivery(try job(.decided), .overtaken)
    _ = delivery.start(now: Self.now)
    #expect(
      delivery.created(OpenedSession(session: Self.session(.pending), target: .local)) == .cancel("fil_1"))
    #expect(delivery.cancelled() == .end(.decideAgain))
    #expect(delivery.job.phase == .decided, "until the cancel has arrived the record must lead back here")
  }

  @Test("to send the bytes again while the session is open, and to open another once it has expired")
  func opened() throws {
    var open = delivery(try job(.opened))
    guard case .send = open.start(now: Self.now) else {
      Issue.record("the bytes are not sent again")
      return
    }
    var expired = delivery(try job(.opened, expires: Self.now))
    #expect(expired.start(now: Self.now) == .retrieve("fil_1"), "this machine's clock may be wrong")
    guard case .create(_, key: "key-2") = expired.retrieved(Self.session(.expired)) else {
      Issue.record("no session is opened under a new key")
      return
    }
    #expect(expired.job.phase == .decided && expired.job.session == nil)
  }

  @Test(
    "what follows on the status that a session with all its bytes has",
    arguments: [
      (FileStatus.completed, "delivered"), (.pending, "complete"), (.cancelled, "create"),
      (.expired, "create"),
    ])
  func uploaded(status: FileStatus, next: String) throws {
    var delivery = delivery(try job(.uploaded))
    #expect(delivery.start(now: Self.now) == .retrieve("fil_1"))
    let action = delivery.retrieved(Self.session(status))
    switch action {
    case .end(.delivered): #expect(next == "delivered")
    case .complete("fil_1", md5: Self.md5): #expect(next == "complete")
    case .create(_, key: "key-2"): #expect(next == "create")
    default: Issue.record("\(action)")
    }
  }

  @Test("by the md5 whether bytes that were refused as already there are the right ones")
  func alreadyThere() throws {
    var delivery = delivery(try job(.opened))
    _ = delivery.start(now: Self.now)
    #expect(delivery.sendFailed(ServiceError(.objectExists, "412")) == .hash)
    #expect(delivery.hashed(Self.md5) == .complete("fil_1", md5: Self.md5))
    #expect(delivery.completeFailed(ServiceError(.unprocessableContent, "422")) == .cancel("fil_1"))
    guard case .create(_, key: "key-2") = delivery.cancelled() else {
      Issue.record("no new session is opened")
      return
    }
  }

  @Test("to give up after five sessions")
  func limit() throws {
    var job = try job(.opened)
    job.opens = Delivery.mostOpens
    var delivery = delivery(job)
    _ = delivery.start(now: Self.now)
    _ = delivery.sendFailed(ServiceError(.conflict, "409"))
    guard case .end(.failed(let failure)) = delivery.retrieved(Self.session(.expired)) else {
      Issue.record("it goes on")
      return
    }
    #expect(failure.message.contains("5 sessions"))
  }

  @Test(
    "that the service, not the file, is at fault, and leaves the record as it is",
    arguments: ServiceError.Kind.allCases.filter(\.concernsService))
  func away(kind: ServiceError.Kind) throws {
    var delivery = delivery(try job(.decided), .fresh)
    _ = delivery.start(now: Self.now)
    let error = ServiceError(kind, "away")
    #expect(delivery.createFailed(error) == .end(.away(error)))
    #expect(delivery.job == (try job(.decided)))
  }

  @Test("that a 403 is a missing scope, except where only admins may do it")
  func forbidden() throws {
    let error = ServiceError(.forbidden, "403")
    var scope = delivery(try job(.decided), .fresh)
    #expect(scope.createFailed(error) == .end(.away(error)))
    var job = try job(.decided)
    job.request?.purpose = .knowledgeWorkspace
    var admins = delivery(job, .fresh)
    #expect(admins.createFailed(error) == .end(.failed(Failure(error))))
  }

  @Test("to end with a service that contradicts itself for ever")
  func contradiction() throws {
    var delivery = delivery(try job(.uploaded))
    var action = delivery.start(now: Self.now)
    for _ in 0..<20 {
      switch action {
      case .retrieve: action = delivery.retrieved(Self.session(.pending))
      case .complete: action = delivery.completeFailed(ServiceError(.conflict, "409"))
      case .end(.away): return
      default: Issue.record("\(action)")
      }
    }
    Issue.record("it does not end")
  }
}

@Suite("Triage")
struct TriageTests {
  /// Which phase, whether the stamp and the recipe are the same, and what follows.
  static let cases: [(Phase, Bool, Bool, Triage)] = [
    (.decided, true, true, .resume), (.opened, false, false, .resume), (.uploaded, true, false, .resume),
    (.completed, false, true, .resume),
    (.done, true, true, .alreadyDone), (.done, true, false, .alreadyDone), (.done, false, true, .compare),
    (.skipped, true, true, .stands), (.skipped, true, false, .compare), (.skipped, false, true, .compare),
    (.deferred, true, true, .stands), (.deferred, true, false, .compare),
    (.failed, true, true, .stands), (.failed, true, false, .compare), (.failed, false, true, .compare),
  ]

  private func triage(
    phase: Phase?, sameStamp: Bool = true, sameRecipe: Bool = true, trace: Trace? = nil,
    change: (inout Job) -> Void = { _ in }
  ) throws -> Triage {
    let stamp = FileStamp(size: 3, modified: 1, inode: 1)
    let key = JobKey(profile: "local", recipe: "r", path: try ProjectPath("a.md"))
    let job = phase.map { phase in
      var job = Job(key: key, relative: "a.md", phase: phase, stamp: stamp, recipeVersion: "1")
      job.dueAt = DeliveryTests.now + .seconds(1)
      if phase == .failed { job.failure = Failure(.service, "no") }
      change(&job)
      return job
    }
    let there = sameStamp ? stamp : FileStamp(size: 3, modified: 2, inode: 1)
    return Triage(
      of: Candidate(key: key, relative: "a.md", stamp: there), job: job, trace: trace,
      recipeVersion: sameRecipe ? "1" : "2", now: DeliveryTests.now)
  }

  @Test("knows what each phase needs", arguments: cases)
  func phases(phase: Phase, sameStamp: Bool, sameRecipe: Bool, expected: Triage) throws {
    #expect(try triage(phase: phase, sameStamp: sameStamp, sameRecipe: sameRecipe) == expected)
  }

  @Test("asks about what is new, due again, or failed for a reason that may have passed")
  func asks() throws {
    #expect(try triage(phase: nil) == .ask)
    #expect(try triage(phase: .deferred) { $0.dueAt = DeliveryTests.now } == .compare)
    #expect(try triage(phase: .failed) { $0.failure = Failure(.file, "unreadable") } == .compare)
  }

  @Test("passes over what Moontide itself put there, and compares when its stamp has changed")
  func ownWork() throws {
    let path = try ProjectPath("a.md")
    let same = Trace(
      path: path, stamp: FileStamp(size: 3, modified: 1, inode: 1), md5: DeliveryTests.md5)
    #expect(try triage(phase: nil, trace: same) == .ownWork)
    #expect(try triage(phase: nil, sameStamp: false, trace: same) == .compare)
    let other = Trace(
      path: path, stamp: FileStamp(size: 4, modified: 1, inode: 1), md5: DeliveryTests.md5)
    #expect(try triage(phase: nil, trace: other) == .ask)
  }
}
