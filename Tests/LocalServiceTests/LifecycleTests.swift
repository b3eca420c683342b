import FileSessions
import Foundation
import LocalService
import Testing

@Suite("The life of a session")
struct LifecycleTests {
  private let bench: Bench
  private var service: LocalFileService { bench.service }

  init() async throws { bench = try await Bench() }

  @Test("a file is opened, sent, completed and fetched")
  func wholeLife() async throws {
    let bytes = noise(3_000_000)
    let opened = try await bench.open(bytes, "notes.md")
    #expect(opened.target == .local)
    let session = opened.session
    #expect(session.id.wholeMatch(of: /fil_[0-9A-Za-z]{24}/) != nil)
    #expect(session.filename == "notes.md" && session.mimeType == "text/markdown")
    #expect(session.status == .pending && session.completedAt == nil)
    #expect(session.createdAt == bench.clock.now)
    #expect(session.expiresAt == bench.clock.now + .seconds(3600))

    let receipt = try await service.upload(opened, BytesInMemory(bytes))
    #expect(receipt == Receipt(bytes: 3_000_000, md5: md5(bytes)))
    #expect(try await service.retrieve(session.id) == session)

    bench.clock.advance(.milliseconds(1234))
    let completed = try await service.complete(session.id, md5: receipt.md5, key: nil)
    #expect(completed.status == .completed && completed.expiresAt == nil)
    #expect(completed.completedAt == bench.clock.now && completed.createdAt == session.createdAt)
    #expect(try await service.retrieve(session.id) == completed)
    #expect(try await service.list(limit: nil, offset: nil) == FileList(data: [completed], totalCount: 1))
    #expect(try await service.bytes(of: session.id) == bytes)
  }

  @Test("complete without an md5 takes the size's word")
  func withoutDigest() async throws {
    let opened = try await bench.fill(noise(10))
    #expect(try await service.complete(opened.session.id, md5: nil, key: nil).status == .completed)
  }

  @Test("what is completed is there after the store was opened again")
  func reopened() async throws {
    let bytes = noise(100)
    let completed = try await bench.complete(bytes)
    let again = try await bench.reopen().service()
    #expect(try await again.retrieve(completed.id) == completed)
    #expect(try await again.bytes(of: completed.id) == bytes)
  }

  @Test("a completed file's url is a file with its bytes, good for an hour")
  func url() async throws {
    let bytes = noise(100)
    let id = try await bench.complete(bytes).id
    let place = try await service.url(id)
    #expect(place.expiresAt == bench.clock.now + .seconds(3600))
    let url = try #require(URL(string: place.url))
    #expect(url.isFileURL)
    #expect([UInt8](try Data(contentsOf: url)) == bytes)
  }

  @Test(
    "any part of a file can be fetched, cut to what is there",
    arguments: [
      0..<0, 0..<1, 0..<2_500_000, 5..<10, 1_048_575..<1_048_577, 2_499_999..<9_000_000,
      7_000_000..<8_000_000,
    ]
      as [Range<Int64>])
  func ranges(range: Range<Int64>) async throws {
    let bytes = noise(2_500_000)
    let id = try await bench.complete(bytes).id
    let part = range.clamped(to: 0..<Int64(bytes.count))
    #expect(
      try await service.bytes(of: id, range: range)
        == Array(bytes[Int(part.lowerBound)..<Int(part.upperBound)]))
    let file = try await service.open(id)
    #expect(file.length == 2_500_000 && file.md5 == md5(bytes) && file.session.id == id)
    let read = try await file.read(at: range.lowerBound, count: range.count)
    #expect(read == Array(bytes[Int(part.lowerBound)..<Int(part.upperBound)]))
  }

  @Test("a download comes in pieces of 1 MiB")
  func pieces() async throws {
    let id = try await bench.complete(noise(2_500_000)).id
    let collected = Collected()
    _ = try await service.download(id, range: nil, receive: collected.receive)
    #expect(collected.sizes == [1_048_576, 1_048_576, 402_848])
  }

  @Test("a receiver that fails ends the download with its error")
  func failingReceiver() async throws {
    struct Full: Error {}
    let id = try await bench.complete(noise(10)).id
    let own = ServiceError(.source, "mine")
    await refusal(.unexpected) { () async throws(ServiceError) in
      try await service.download(id, range: nil) { _ in throw Full() }
    }
    let error = await refusal(.source) { () async throws(ServiceError) in
      try await service.download(id, range: nil) { _ in throw own }
    }
    #expect(error == own)
  }

  @Test("bytes that were changed behind the service's back are not passed on as whole")
  func damagedBytes() async throws {
    let changed = try await bench.complete(noise(10, seed: 1))
    let cut = try await bench.complete(noise(10, seed: 2))
    let gone = try await bench.complete(noise(10, seed: 3))
    for (id, bytes) in [(changed.id, noise(10, seed: 9)), (cut.id, noise(9)), (gone.id, nil)] {
      let url = try #require(URL(string: try await service.url(id).url))
      try FileManager.default.removeItem(at: url)
      if let bytes { try Data(bytes).write(to: url) }
      let error = await refusal(.internalServerError) { () async throws(ServiceError) in
        try await service.download(id, range: nil) { _ in }
      }
      #expect(error?.message.contains("are damaged") == true)
      #expect(error?.shouldRetry == false)
    }
  }

  @Test("another service over the same store sees the change at once")
  func otherService() async throws {
    let other = try await bench.reopen().service()
    let bytes = noise(50)
    let opened = try await bench.open(bytes)
    _ = try await other.upload(opened, BytesInMemory(bytes))
    #expect(try await service.complete(opened.session.id, md5: md5(bytes), key: nil).status == .completed)
    #expect(try await other.bytes(of: opened.session.id) == bytes)
  }
}
