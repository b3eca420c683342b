import FileSessions
import Foundation
import LocalService
import Synchronization
import Testing

@Suite("Receiving bytes")
struct UploadTests {
  private let bench: Bench
  private var service: LocalFileService { bench.service }

  init() async throws { bench = try await Bench() }

  @Test(
    "bytes of any length around the pieces arrive as they were sent",
    arguments: [1, 1_048_575, 1_048_576, 1_048_577, 2_097_152])
  func lengths(count: Int) async throws {
    let bytes = noise(count)
    let session = try await bench.complete(bytes)
    #expect(try await service.bytes(of: session.id) == bytes)
    #expect(try bench.blobs().count == 1)
  }

  @Test("asks the source before each piece how much may be sent, and sends no more")
  func admitted() async throws {
    let bytes = noise(300_000)
    let opened = try await bench.open(bytes)
    let asked = Mutex(0)
    let receipt = try await service.upload(
      opened, PortionedSource(base: BytesInMemory(bytes), portion: 70_000) { asked.withLock { $0 += 1 } })
    #expect(receipt.bytes == 300_000 && asked.withLock { $0 } == 5)
    _ = try await service.complete(opened.session.id, md5: receipt.md5, key: nil)
    #expect(try await service.bytes(of: opened.session.id) == bytes)
  }

  @Test("a second upload replaces the first")
  func replaced() async throws {
    let opened = try await bench.fill(noise(10, seed: 1))
    let second = noise(10, seed: 2)
    let receipt = try await service.upload(opened, BytesInMemory(second))
    #expect(try bench.blobs().values.map(\.self) == [second])
    _ = try await service.complete(opened.session.id, md5: receipt.md5, key: nil)
    #expect(try await service.bytes(of: opened.session.id) == second)
  }

  @Test("knowledge is never overwritten: a second upload is a 412, and the first stays")
  func refusesOverwrite() async throws {
    let first = noise(10, seed: 1)
    let opened = try await bench.fill(first, purpose: .knowledgeUser)
    let error = await refusal(.objectExists) { () async throws(ServiceError) in
      try await service.upload(opened, BytesInMemory(noise(10, seed: 2)))
    }
    #expect(error?.status == 412)
    _ = try await service.complete(opened.session.id, md5: md5(first), key: nil)
    #expect(try await service.bytes(of: opened.session.id) == first)
  }

  @Test("of two uploads of knowledge at the same time one stays, and nothing of the other")
  func race() async throws {
    let opened = try await bench.open(noise(10), purpose: .knowledgeUser)
    let writers = [
      try await service.startUpload(opened.session.id), try await service.startUpload(opened.session.id),
    ]
    for (number, writer) in writers.enumerated() {
      try await writer.append(noise(10, seed: UInt64(number + 1)))
    }
    let receipt = try await writers[1].finish()
    await refusal(.objectExists) { () async throws(ServiceError) in try await writers[0].finish() }
    #expect(receipt.md5 == md5(noise(10, seed: 2)))
    #expect(try bench.blobs().values.map(\.self) == [noise(10, seed: 2)])
  }

  @Test("more bytes than announced are a 413 before any is taken, and leave nothing")
  func tooLong() async throws {
    let opened = try await bench.open(noise(10))
    let error = await refusal(.tooLarge) { () async throws(ServiceError) in
      try await service.upload(opened, BytesInMemory(noise(11)))
    }
    #expect(error?.message.contains("announced with 10 bytes") == true)
    let writer = try await service.startUpload(opened.session.id)
    try await writer.append(noise(10))
    await refusal(.tooLarge) { () async throws(ServiceError) in try await writer.append(noise(1)) }
    await refusal(.conflict) { () async throws(ServiceError) in try await writer.finish() }
    #expect(try bench.blobs().isEmpty)
    #expect(try await service.retrieve(opened.session.id).status == .pending)
  }

  @Test("fewer bytes than announced are kept, but not completed")
  func tooShort() async throws {
    let opened = try await bench.open(noise(10))
    let receipt = try await service.upload(opened, BytesInMemory(noise(4)))
    #expect(receipt.bytes == 4)
    let error = await refusal(.unprocessableContent) { () async throws(ServiceError) in
      try await service.complete(opened.session.id, md5: receipt.md5, key: nil)
    }
    #expect(error?.message.hasPrefix("4 bytes have arrived") == true)
    #expect(error?.message.contains("10 were announced") == true)
    #expect(try await service.retrieve(opened.session.id) == opened.session)
    _ = try await service.upload(opened, BytesInMemory(noise(10)))
    #expect(try await service.complete(opened.session.id, md5: nil, key: nil).status == .completed)
  }

  @Test("a wrong md5 is a 422 that leaves the session PENDING")
  func wrongDigest() async throws {
    let opened = try await bench.fill(noise(10))
    let error = await refusal(.unprocessableContent) { () async throws(ServiceError) in
      try await service.complete(opened.session.id, md5: md5([]), key: nil)
    }
    #expect(error?.message.contains(md5(noise(10)).hex) == true)
    #expect(try await service.retrieve(opened.session.id) == opened.session)
    #expect(try await service.complete(opened.session.id, md5: md5(noise(10)), key: nil).status == .completed)
  }

  @Test("cancel removes what arrived")
  func cancelled() async throws {
    let opened = try await bench.fill(noise(10))
    let cancelled = try await service.cancel(opened.session.id, key: nil)
    #expect(cancelled.status == .cancelled && cancelled.expiresAt == nil && cancelled.completedAt == nil)
    #expect(try bench.blobs().isEmpty)
  }

  @Test("a session that is cancelled while its bytes arrive takes none of them")
  func cancelledMeanwhile() async throws {
    let opened = try await bench.open(noise(10))
    let writer = try await service.startUpload(opened.session.id)
    try await writer.append(noise(10))
    _ = try await service.cancel(opened.session.id, key: nil)
    await refusal(.conflict) { () async throws(ServiceError) in try await writer.finish() }
    #expect(try bench.blobs().isEmpty)
  }

  @Test("a writer takes pieces of any size, and none at all")
  func pieces() async throws {
    let bytes = noise(3000)
    let opened = try await bench.open(bytes)
    let empty = try await service.startUpload(opened.session.id)
    #expect(try await empty.finish() == Receipt(bytes: 0, md5: md5([])))
    let writer = try await service.startUpload(opened.session.id)
    #expect(writer.session == opened.session)
    for part in [0..<1, 1..<1, 1..<2999, 2999..<3000] { try await writer.append(Array(bytes[part])) }
    #expect(try await writer.finish() == Receipt(bytes: 3000, md5: md5(bytes)))
    #expect(try bench.blobs().values.map(\.self) == [bytes])
  }

  @Test("a writer that is abandoned, or let go of, leaves nothing")
  func abandoned() async throws {
    let opened = try await bench.open(noise(10))
    var writer: UploadWriter? = try await service.startUpload(opened.session.id)
    try await writer?.append(noise(3))
    #expect(try bench.blobs().keys.map { $0.hasPrefix("incoming/") } == [true])
    await writer?.abandon()
    #expect(try bench.blobs().isEmpty)
    writer = try await service.startUpload(opened.session.id)
    try await writer?.append(noise(3))
    writer = nil
    #expect(try bench.blobs().isEmpty)
  }

  @Test("a source that cannot be read is the source's fault and leaves nothing", arguments: [0, 1_500_000])
  func failingSource(offset: Int64) async throws {
    struct Gone: Error, CustomStringConvertible { var description: String { "the disk went away" } }
    let opened = try await bench.open([], "a.md", size: 3_000_000)
    let source = FormulaSource(length: 3_000_000) { if $0 + 1_048_576 > offset { throw Gone() } }
    let error = await refusal(.source) { () async throws(ServiceError) in
      try await service.upload(opened, source)
    }
    #expect(error?.message == "The bytes for a.md could not be read: the disk went away.")
    #expect(try bench.blobs().isEmpty)
  }

  @Test("a source that ends before its length is the source's fault")
  func shrinkingSource() async throws {
    let opened = try await bench.open(noise(10))
    let error = await refusal(.source) { () async throws(ServiceError) in
      try await service.upload(opened, Shrinking())
    }
    #expect(error?.message.contains("ended after 6 of 10") == true)
    #expect(try bench.blobs().isEmpty)
  }

  @Test("an upload whose task is cancelled stops between two pieces and leaves nothing")
  func cancelledTask() async throws {
    let opened = try await bench.open([], size: 64 << 20)
    let reached = AsyncStream.makeStream(of: Void.self)
    let gate = DispatchSemaphore(value: 0)
    let furthest = Atomic<Int64>(0)
    let source = FormulaSource(length: 64 << 20) { offset in
      furthest.store(offset, ordering: .relaxed)
      if offset == 3 << 20 {
        reached.continuation.finish()
        gate.wait()
      }
    }
    let task = Task { [service] in
      await refusal(.unreachable) { () async throws(ServiceError) in
        try await service.upload(opened, source)
      }
    }
    for await _ in reached.stream {}
    task.cancel()
    gate.signal()
    let error = await task.value
    #expect(error?.shouldRetry == false)
    #expect(furthest.load(ordering: .relaxed) == 3 << 20)
    #expect(try bench.blobs().isEmpty)
    #expect(try await service.retrieve(opened.session.id).status == .pending)
  }

  @Test("the largest file passes through")
  func largest() async throws {
    let size: Int64 = 536_870_912
    let opened = try await bench.open([], size: size)
    _ = try await service.upload(opened, FormulaSource(length: size))
    _ = try await service.complete(opened.session.id, md5: nil, key: nil)
    let counted = Atomic<Int64>(0)
    let receipt = try await service.download(opened.session.id, range: nil) { piece in
      counted.add(Int64(piece.count), ordering: .relaxed)
    }
    #expect(receipt.bytes == size && counted.load(ordering: .relaxed) == size)
  }

  @Test("many uploads at the same time arrive whole")
  func many() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<100 {
        group.addTask { [bench] in
          let bytes = noise(500 + number, seed: UInt64(number))
          let session = try await bench.complete(bytes, purpose: .knowledgeWorkspace)
          let arrived = try await bench.service.bytes(of: session.id)
          #expect(arrived == bytes)
        }
      }
      try await group.waitForAll()
    }
    #expect(try bench.blobs().count == 100)
  }
}

/// Bytes that nobody had to keep; `reading` may watch each read, stop it or fail it.
private struct FormulaSource: ByteSource {
  let length: Int64
  var reading: @Sendable (Int64) throws -> Void = { _ in }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
    try reading(offset)
    let count = Int(min(Int64(buffer.count), length - offset))
    for index in stride(from: 0, to: count, by: 4096) {
      buffer[index] = UInt8(truncatingIfNeeded: index >> 12)
    }
    return count
  }
}

/// Ten bytes were promised, six are there.
private struct Shrinking: ByteSource {
  let length: Int64 = 10

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
    let count = min(buffer.count, max(0, 6 - Int(offset)))
    for index in 0..<count { buffer[index] = 1 }
    return count
  }
}

/// A source of which only a portion may be sent at a time.
private struct PortionedSource: ByteSource {
  let base: BytesInMemory
  let portion: Int
  let onAsk: @Sendable () -> Void

  var length: Int64 { base.length }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
    base.read(into: buffer, at: offset)
  }

  func admitted(_ count: Int) async throws -> Int {
    onAsk()
    return min(count, portion)
  }
}
