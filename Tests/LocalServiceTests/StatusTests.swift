import FileSessions
import LocalService
import Testing

@Suite("Every status with every call")
struct StatusTests {
  enum State: CaseIterable {
    case empty, filled, completed, cancelled, expired

    var status: FileStatus {
      switch self {
      case .empty, .filled: .pending
      case .completed: .completed
      case .cancelled: .cancelled
      case .expired: .expired
      }
    }
  }

  enum Call: CaseIterable {
    case upload, startUpload, complete, cancel, retrieve, url, download, open

    /// What the call answers: nil for success.
    func refusal(in state: State) -> ServiceError.Kind? {
      switch (self, state) {
      case (.retrieve, _): nil
      case (.complete, .empty): .unprocessableContent
      case (.upload, .empty), (.startUpload, .empty), (.cancel, .empty): nil
      case (.upload, .filled), (.startUpload, .filled), (.cancel, .filled), (.complete, .filled): nil
      case (.url, .completed), (.download, .completed), (.open, .completed): nil
      default: .conflict
      }
    }

    func run(_ service: LocalFileService, _ session: FileSession, _ bytes: [UInt8]) async throws(ServiceError)
    {
      switch self {
      case .upload:
        _ = try await service.upload(OpenedSession(session: session, target: .local), BytesInMemory(bytes))
      case .startUpload: await (try service.startUpload(session.id)).abandon()
      case .complete: _ = try await service.complete(session.id, md5: nil, key: nil)
      case .cancel: _ = try await service.cancel(session.id, key: nil)
      case .retrieve: _ = try await service.retrieve(session.id)
      case .url: _ = try await service.url(session.id)
      case .download: _ = try await service.download(session.id, range: nil) { _ in }
      case .open: _ = try await service.open(session.id)
      }
    }
  }

  @Test("a call is allowed or refused as the status has it", arguments: State.allCases, Call.allCases)
  func call(state: State, call: Call) async throws {
    let bench = try await Bench()
    let bytes = noise(20)
    let session: FileSession
    switch state {
    case .empty: session = try await bench.open(bytes).session
    case .filled: session = try await bench.fill(bytes).session
    case .completed: session = try await bench.complete(bytes)
    case .cancelled: session = try await bench.service.cancel(bench.fill(bytes).session.id, key: nil)
    case .expired:
      session = try await bench.fill(bytes).session
      bench.clock.advance(.seconds(3600))
    }
    if let kind = call.refusal(in: state) {
      let error = await refusal(kind) { () async throws(ServiceError) in
        try await call.run(bench.service, session, bytes)
      }
      if kind == .conflict {
        #expect(error?.shouldRetry == false)
        #expect(error?.message.contains(state.status.rawValue) == true)
      }
      #expect(try await bench.service.retrieve(session.id).status == state.status)
    } else {
      try await call.run(bench.service, session, bytes)
    }
  }

  @Test("a session that is not there is a 404 for every call", arguments: Call.allCases)
  func missing(call: Call) async throws {
    let bench = try await Bench()
    var session = try await bench.open(noise(5)).session
    session.id = "fil_nobody"
    let error = await refusal(.notFound) { () async throws(ServiceError) in
      try await call.run(bench.service, session, noise(5))
    }
    #expect(error?.message == "There is no file fil_nobody.")
  }

  @Test(
    "another organisation's session is a 404 for every call and not in the list", arguments: Call.allCases)
  func isolation(call: Call) async throws {
    let bench = try await Bench()
    let bytes = noise(5)
    let filled = try await bench.fill(bytes).session
    let completed = try await bench.complete(bytes)
    let stranger = bench.store.service(
      for: Caller(organisation: "org_other", subject: .user(id: "usr_2"), isAdmin: true))
    for session in [filled, completed] {
      await refusal(.notFound) { () async throws(ServiceError) in
        try await call.run(stranger, session, bytes)
      }
      #expect(try await bench.service.retrieve(session.id) == session)
    }
    #expect(try await stranger.list(limit: nil, offset: nil) == FileList(data: [], totalCount: 0))
  }

  @Test("a call takes its scope, and an empty set of scopes is all of them", arguments: Call.allCases)
  func scopes(call: Call) async throws {
    let bench = try await Bench()
    let bytes = noise(5)
    let reads: Set<Call> = [.retrieve, .url, .download, .open]
    let needed = reads.contains(call) ? Scope.filesRead : .filesCreate
    let other = reads.contains(call) ? Scope.filesCreate : .filesRead
    let session =
      reads.contains(call) ? try await bench.complete(bytes) : try await bench.fill(bytes).session
    func caller(_ scopes: Set<Scope>) -> LocalFileService {
      bench.store.service(
        for: Caller(organisation: "org_local", subject: .workspace, isAdmin: false, scopes: scopes))
    }
    let error = await refusal(.forbidden) { () async throws(ServiceError) in
      try await call.run(caller([other]), session, bytes)
    }
    #expect(error?.message.contains(needed.rawValue) == true)
    try await call.run(caller([needed]), session, bytes)
  }

  @Test("creating takes files:create, listing files:read")
  func scopesOfCreateAndList() async throws {
    let bench = try await Bench()
    func caller(_ scope: Scope) -> LocalFileService {
      bench.store.service(
        for: Caller(organisation: "org_local", subject: .workspace, isAdmin: false, scopes: [scope]))
    }
    let file = NewFile(filename: "a", mimeType: "b/c", sizeBytes: 1)
    _ = try await caller(.filesCreate).create(file, key: nil)
    _ = try await caller(.filesRead).list(limit: nil, offset: nil)
    await refusal(.forbidden) { () async throws(ServiceError) in
      try await caller(.filesRead).create(file, key: nil)
    }
    await refusal(.forbidden) { () async throws(ServiceError) in
      try await caller(.filesCreate).list(limit: nil, offset: nil)
    }
  }
}

@Suite("Expiry")
struct ExpiryTests {
  private let bench: Bench
  private var service: LocalFileService { bench.service }

  init() async throws { bench = try await Bench() }

  @Test("a session expires at the millisecond of its expiresAt, and its bytes go")
  func boundary() async throws {
    let session = try await bench.fill(noise(10)).session
    bench.clock.advance(.milliseconds(3_599_999))
    #expect(try await service.retrieve(session.id) == session)
    bench.clock.advance(.milliseconds(1))
    let expired = try await service.retrieve(session.id)
    #expect(expired.status == .expired && expired.expiresAt == nil && expired.completedAt == nil)
    #expect(try bench.blobs().isEmpty)
  }

  @Test("a list shows a session as expired without anybody having touched it")
  func listed() async throws {
    _ = try await bench.fill(noise(10))
    bench.clock.advance(.seconds(1800))
    _ = try await bench.open(noise(10))
    bench.clock.advance(.seconds(1800))
    let list = try await service.list(limit: nil, offset: nil)
    #expect(list.data.map(\.status) == [.pending, .expired])
    #expect(list.data.map { $0.expiresAt == nil } == [false, true])
    #expect(try bench.blobs().isEmpty)
  }

  @Test("completed and cancelled sessions never expire")
  func finalOnes() async throws {
    let completed = try await bench.complete(noise(10))
    let cancelled = try await service.cancel(bench.open(noise(10)).session.id, key: nil)
    bench.clock.advance(.seconds(1_000_000))
    try await bench.store.settle()
    #expect(try await service.retrieve(completed.id) == completed)
    #expect(try await service.retrieve(cancelled.id) == cancelled)
    #expect(try bench.blobs().count == 1)
  }

  @Test("an expired session stays expired when the clock goes back", arguments: [true, false])
  func clockGoesBack(byCompleting: Bool) async throws {
    let id = try await bench.fill(noise(10)).session.id
    bench.clock.advance(.seconds(3600))
    if byCompleting {
      await refusal(.conflict) { () async throws(ServiceError) in
        try await service.complete(id, md5: nil, key: nil)
      }
    } else {
      _ = try await service.list(limit: nil, offset: nil)
    }
    bench.clock.advance(.seconds(-3000))
    #expect(try await service.retrieve(id).status == .expired)
  }

  @Test("bytes that arrive while the session expires are refused and leave nothing")
  func duringUpload() async throws {
    let opened = try await bench.open(noise(10))
    let writer = try await service.startUpload(opened.session.id)
    try await writer.append(noise(10))
    bench.clock.advance(.seconds(3600))
    await refusal(.conflict) { () async throws(ServiceError) in try await writer.finish() }
    #expect(try bench.blobs().isEmpty)
  }

  @Test("settling expires what is due in every organisation")
  func settle() async throws {
    let stranger = bench.store.service(
      for: Caller(organisation: "org_other", subject: .workspace, isAdmin: false))
    let file = NewFile(filename: "a", mimeType: "b/c", sizeBytes: 4)
    let theirs = try await stranger.create(file, key: nil)
    _ = try await stranger.upload(theirs, BytesInMemory(noise(4)))
    _ = try await bench.fill(noise(10))
    #expect(try bench.blobs().count == 2)
    bench.clock.advance(.seconds(3600))
    try await bench.store.settle()
    #expect(try bench.blobs().isEmpty)
    bench.clock.advance(.seconds(-3600))
    #expect(try await stranger.retrieve(theirs.session.id).status == .expired)
  }
}
