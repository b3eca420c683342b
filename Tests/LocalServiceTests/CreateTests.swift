import FileSessions
import Foundation
import LocalService
import Synchronization
import Testing

@Suite("Opening and listing sessions")
struct CreateTests {
  private let bench: Bench
  private var service: LocalFileService { bench.service }

  init() async throws { bench = try await Bench() }

  @Test("what the policy refuses opens no session")
  func policy() async throws {
    let file = NewFile(filename: "a", mimeType: "b/c", sizeBytes: 0)
    let error = await refusal(.badRequest) { () async throws(ServiceError) in
      try await service.create(file, key: nil)
    }
    #expect(error?.param == "sizeBytes")
    let member = bench.store.service(
      for: Caller(organisation: "org_local", subject: .user(id: "usr_2"), isAdmin: false))
    var knowledge = NewFile(filename: "a", mimeType: "b/c", sizeBytes: 1, purpose: .knowledgeWorkspace)
    await refusal(.forbidden) { () async throws(ServiceError) in try await member.create(knowledge, key: nil)
    }
    knowledge.purpose = .knowledgeUser
    _ = try await member.create(knowledge, key: nil)
    #expect(try await service.list(limit: nil, offset: nil).totalCount == 1)
  }

  @Test("knowledge files of one name and one millisecond get names of their own")
  func suffixes() async throws {
    let names = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<20 {
        group.addTask { [bench] in
          try await bench.open(noise(1), "playbook.md", purpose: .knowledgeUser).session.filename
        }
      }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    let first = bench.clock.now.milliseconds
    #expect(names == Set((0..<20 as Range<Int64>).map { "playbook_\(first + $0).md" }))
    let plain = try await [bench.open(noise(1), "playbook.md"), bench.open(noise(1), "playbook.md")]
    #expect(plain.map(\.session.filename) == ["playbook.md", "playbook.md"])
  }

  @Test("another organisation may have knowledge of the same name")
  func suffixesOfOrganisations() async throws {
    let other = bench.store.service(
      for: Caller(organisation: "org_other", subject: .user(id: "usr_2"), isAdmin: true))
    let file = NewFile(filename: "a.md", mimeType: "b/c", sizeBytes: 1, purpose: .knowledgeUser)
    let mine = try await service.create(file, key: nil).session.filename
    #expect(try await other.create(file, key: nil).session.filename == mine)
  }

  @Test("a list is newest first, in pages of 25 at the most")
  func paging() async throws {
    var ids: [String] = []
    for number in 0..<60 {
      ids.append(try await bench.open(noise(1)).session.id)
      // Some sessions share a millisecond: the later one is still the newer one.
      if number % 3 == 0 { bench.clock.advance(.milliseconds(1)) }
    }
    ids.reverse()
    func page(_ limit: Int?, _ offset: Int?) async throws -> [String] {
      let list = try await service.list(limit: limit, offset: offset)
      #expect(list.totalCount == 60)
      return list.data.map(\.id)
    }
    #expect(try await page(nil, nil) == Array(ids[0..<25]))
    #expect(try await page(1000, 25) == Array(ids[25..<50]))
    #expect(try await page(nil, 50) == Array(ids[50...]))
    #expect(try await page(1, 59) == [ids[59]])
    #expect(try await page(7, 3) == Array(ids[3..<10]))
    #expect(try await page(25, 60).isEmpty)
    #expect(try await page(25, .max).isEmpty)
  }

  @Test(
    "a page that cannot be is a 400 that names the parameter",
    arguments: [(0, 0, "limit"), (-1, 0, "limit"), (25, -1, "offset")])
  func badPages(limit: Int, offset: Int, param: String) async {
    let error = await refusal(.badRequest) { () async throws(ServiceError) in
      try await service.list(limit: limit, offset: offset)
    }
    #expect(error?.param == param && error?.code == "invalid_value")
  }
}

@Suite("Idempotency keys")
struct IdempotencyTests {
  private let bench: Bench
  private var service: LocalFileService { bench.service }
  private let file = NewFile(
    filename: "a.md", mimeType: "text/markdown", sizeBytes: 5, purpose: .knowledgeUser)

  init() async throws { bench = try await Bench() }

  @Test("a repeat gives the same answer and opens nothing, also after the store was opened again")
  func replay() async throws {
    let first = try await service.create(file, key: "k")
    bench.clock.advance(.seconds(10))
    #expect(try await service.create(file, key: "k") == first)
    #expect(try await bench.reopen().service().create(file, key: "k") == first)
    #expect(try await service.create(file, key: "k2") != first)
    #expect(try await service.list(limit: nil, offset: nil).totalCount == 2)
  }

  @Test("no key, and an empty one, open a session each time", arguments: [nil, ""])
  func noKey(key: String?) async throws {
    _ = try await service.create(file, key: key)
    _ = try await service.create(file, key: key)
    #expect(try await service.list(limit: nil, offset: nil).totalCount == 2)
  }

  @Test("a key is remembered for 24 hours and not a millisecond longer")
  func memory() async throws {
    let first = try await service.create(file, key: "k")
    bench.clock.advance(.seconds(86_400) - .milliseconds(1))
    try await bench.store.settle()
    #expect(try await service.create(file, key: "k") == first)
    bench.clock.advance(.milliseconds(1))
    let second = try await service.create(file, key: "k")
    #expect(second.session.id != first.session.id)
    #expect(try await service.create(file, key: "k") == second)
    try await bench.store.settle()
    #expect(try await service.create(file, key: "k") == second)
  }

  @Test("a key that was used for another request is a 400")
  func otherRequest() async throws {
    _ = try await service.create(file, key: "k")
    var other = file
    other.sizeBytes = 6
    let error = await refusal(.badRequest) { () async throws(ServiceError) in
      try await service.create(other, key: "k")
    }
    #expect(error?.code == "idempotency_key_reused" && error?.param == "Idempotency-Key")
  }

  @Test("a key belongs to its organisation and its operation")
  func scope() async throws {
    let mine = try await service.create(file, key: "k")
    let other = bench.store.service(
      for: Caller(organisation: "org_other", subject: .user(id: "usr_2"), isAdmin: true))
    #expect(try await other.create(file, key: "k").session.id != mine.session.id)
    #expect(try await service.cancel(mine.session.id, key: "k").status == .cancelled)
  }

  @Test("a key has 255 characters at the most", arguments: ["k", "ü", "🌙"])
  func length(letter: String) async throws {
    _ = try await service.create(file, key: String(repeating: letter, count: 255))
    let long = String(repeating: letter, count: 256)
    let error = await refusal(.badRequest) { () async throws(ServiceError) in
      try await service.create(file, key: long)
    }
    #expect(error?.code == "idempotency_key_too_long" && error?.param == "Idempotency-Key")
  }

  @Test("a first try that failed is made again and not replayed")
  func failedFirst() async throws {
    let bytes = noise(5)
    let opened = try await bench.open(bytes)
    await refusal(.unprocessableContent) { () async throws(ServiceError) in
      try await service.complete(opened.session.id, md5: md5(bytes), key: "k")
    }
    _ = try await service.upload(opened, BytesInMemory(bytes))
    let completed = try await service.complete(opened.session.id, md5: md5(bytes), key: "k")
    #expect(completed.status == .completed)
    #expect(try await service.complete(opened.session.id, md5: md5(bytes), key: "k") == completed)
    await refusal(.conflict) { () async throws(ServiceError) in
      try await service.complete(opened.session.id, md5: md5(bytes), key: nil)
    }
  }

  @Test("a refused create keeps no key")
  func refusedCreate() async throws {
    var wrong = file
    wrong.sizeBytes = 0
    await refusal(.badRequest) { () async throws(ServiceError) in try await service.create(wrong, key: "k") }
    _ = try await service.create(file, key: "k")
  }

  @Test("of many creates with one key at the same time one opens a session")
  func concurrent() async throws {
    let ids = try await withThrowingTaskGroup(of: String?.self) { group in
      for _ in 0..<50 {
        group.addTask { [service, file] in
          do throws(ServiceError) {
            return try await service.create(file, key: "k").session.id
          } catch {
            #expect(error.kind == .idempotencyConflict)
            return nil
          }
        }
      }
      return try await group.reduce(into: Set<String>()) { if let id = $1 { $0.insert(id) } }
    }
    #expect(ids.count == 1)
    #expect(try await service.list(limit: nil, offset: nil).totalCount == 1)
  }

  @Test("of creates with one key through two stores at the same time one opens a session")
  func concurrentStores() async throws {
    let services = [service, try await bench.reopen().service()]
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<40 {
        group.addTask { [file] in _ = try await services[number % 2].create(file, key: "k\(number / 2)") }
      }
      try await group.waitForAll()
    }
    #expect(try await service.list(limit: nil, offset: nil).totalCount == 20)
  }

  @Test("a repeat while the first is in flight is a 409 that asks for patience")
  func inFlight() async throws {
    let entered = AsyncStream.makeStream(of: Void.self)
    let gate = DispatchSemaphore(value: 0)
    let held = Atomic(false)
    let bench = try await Bench(
      identifiers: IdentifierSource {
        // The first draw is made while the session is being created: hold it there.
        if held.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged {
          entered.continuation.finish()
          gate.wait()
        }
        return UInt64.random(in: .min ... .max)
      })
    async let first = bench.service.create(file, key: "k")
    for await _ in entered.stream {}
    let error = await refusal(.idempotencyConflict) { () async throws(ServiceError) in
      try await bench.service.create(file, key: "k")
    }
    #expect(error?.status == 409 && error?.kind.isTransient == true && error?.shouldRetry == nil)
    gate.signal()
    let opened = try await first
    #expect(try await bench.service.create(file, key: "k") == opened)
  }
}
