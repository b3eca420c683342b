import Digests
import FileSessions
import Synchronization
import Testing

/// Bytes that look like nothing in particular; the same for the same seed.
package func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var random = SeededRandom(seed: seed)
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count + 8)
  while bytes.count < count { withUnsafeBytes(of: random.next()) { bytes += $0 } }
  bytes.removeLast(bytes.count - count)
  return bytes
}

package func md5(_ bytes: [UInt8]) -> MD5Digest {
  var digest = DigestStream(.md5)
  digest.update(bytes)
  return MD5Digest(bytes: digest.finalize())
}

/// The bytes that a download hands over.
package final class Collected: Sendable {
  private let pieces = Mutex<[[UInt8]]>([])

  package init() {}

  package var bytes: [UInt8] { pieces.withLock { $0.flatMap(\.self) } }
  package var sizes: [Int] { pieces.withLock { $0.map(\.count) } }

  @Sendable package func receive(_ piece: [UInt8]) {
    pieces.withLock { $0.append(piece) }
  }
}

extension NewFile {
  /// A text file of so many bytes.
  package static func text(_ name: String, _ size: Int, _ purpose: Purpose? = nil) -> NewFile {
    NewFile(filename: name, mimeType: "text/plain", sizeBytes: Int64(size), purpose: purpose)
  }
}

extension FileService {
  /// Leads a file to `COMPLETED`.
  package func complete(
    _ bytes: [UInt8], name: String = "a.txt", purpose: Purpose? = nil
  ) async throws -> FileSession {
    let opened = try await create(.text(name, bytes.count, purpose), key: nil)
    _ = try await upload(opened, BytesInMemory(bytes))
    return try await complete(opened.session.id, md5: md5(bytes), key: nil)
  }

  /// The bytes of a completed file; the receipt has to fit them.
  package func bytes(of id: String, range: Range<Int64>? = nil) async throws -> [UInt8] {
    let collected = Collected()
    let receipt = try await download(id, range: range, receive: collected.receive)
    #expect(receipt == Receipt(bytes: Int64(collected.bytes.count), md5: md5(collected.bytes)))
    return collected.bytes
  }
}

extension NewMeeting {
  /// A meeting of an hour that ended an hour ago.
  package static func weekly(_ under: ServiceUnderTest) -> NewMeeting {
    let now = under.clock.now
    return NewMeeting(title: "Weekly", startDate: now + .seconds(-7200), endDate: now + .seconds(-3600))
  }
}

/// The error that `call` ends in; an issue when it does not, or in one of another kind.
@discardableResult
package func refusal<Value>(
  _ kind: ServiceError.Kind, or other: ServiceError.Kind? = nil,
  sourceLocation: SourceLocation = #_sourceLocation, _ call: () async throws(ServiceError) -> Value
) async -> ServiceError? {
  do throws(ServiceError) {
    _ = try await call()
    Issue.record("the call succeeded", sourceLocation: sourceLocation)
    return nil
  } catch {
    #expect(error.kind == kind || error.kind == other, "\(error)", sourceLocation: sourceLocation)
    return error
  }
}
