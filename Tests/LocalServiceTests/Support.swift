import Digests
import FileSessions
import Foundation
import LocalService
import Synchronization
import Testing

/// A store in a directory of its own, with a clock that stands still until it is told to move.
final class Bench: Sendable {
  let directory: String
  /// Where a test may move the directory to.
  var origin: String { directory + "-origin" }
  let clock: ManualClock
  let store: LocalStore
  /// The service as the process itself sees it.
  let service: LocalFileService

  init(policy: FilePolicy? = nil, identifiers: IdentifierSource = .system) async throws {
    directory = FileManager.default.temporaryDirectory.path() + "/moontide-local-\(UUID().uuidString)"
    clock = ManualClock()
    store = try await LocalStore.open(
      directory, policy: policy, clock: clock.wallClock, identifiers: identifiers)
    service = store.service()
  }

  deinit {
    for path in [directory, origin] { try? FileManager.default.removeItem(atPath: path) }
  }

  /// Opens the same directory once more.
  func reopen(sweeping: LocalStore.Sweeping = .whenAlone) async throws -> LocalStore {
    try await LocalStore.open(directory, sweeping: sweeping, clock: clock.wallClock)
  }

  /// The files below `blobs/` and `incoming/`, by their place and their bytes.
  func blobs() throws -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for root in ["blobs", "incoming"] {
      for place in try FileManager.default.subpathsOfDirectory(atPath: directory + "/" + root) {
        let path = "\(directory)/\(root)/\(place)"
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue
        else { continue }
        found["\(root)/\(place)"] = [UInt8](try Data(contentsOf: URL(filePath: path)))
      }
    }
    return found
  }

  /// A session that is open.
  func open(
    _ bytes: [UInt8], _ filename: String = "a.md", purpose: Purpose? = nil, size: Int64? = nil
  ) async throws -> OpenedSession {
    try await service.create(
      NewFile(
        filename: filename, mimeType: "text/markdown", sizeBytes: size ?? Int64(bytes.count), purpose: purpose
      ),
      key: nil)
  }

  /// A session whose bytes have arrived.
  func fill(_ bytes: [UInt8], purpose: Purpose? = nil) async throws -> OpenedSession {
    let opened = try await open(bytes, purpose: purpose)
    _ = try await service.upload(opened, BytesInMemory(bytes))
    return opened
  }

  /// A session that is completed.
  func complete(_ bytes: [UInt8], purpose: Purpose? = nil) async throws -> FileSession {
    let opened = try await fill(bytes, purpose: purpose)
    return try await service.complete(opened.session.id, md5: md5(bytes), key: nil)
  }
}

/// A clock that is moved by hand.
final class ManualClock: Sendable {
  private let moment = Mutex(Timestamp(milliseconds: 1_775_646_000_000))

  var now: Timestamp { moment.withLock { $0 } }
  var wallClock: WallClock { WallClock { self.now } }

  func advance(_ duration: Duration) {
    moment.withLock { $0 = $0 + duration }
  }
}

/// The bytes that a download hands over.
final class Collected: Sendable {
  private let pieces = Mutex<[[UInt8]]>([])

  var bytes: [UInt8] { pieces.withLock { $0.flatMap(\.self) } }
  var sizes: [Int] { pieces.withLock { $0.map(\.count) } }

  @Sendable func receive(_ piece: [UInt8]) {
    pieces.withLock { $0.append(piece) }
  }
}

func md5(_ bytes: [UInt8]) -> MD5Digest {
  var digest = DigestStream(.md5)
  digest.update(bytes)
  return MD5Digest(bytes: digest.finalize())
}

/// Bytes that look like nothing in particular; the same for the same seed.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 33)
  }
}

extension LocalFileService {
  /// All bytes of a completed file.
  func bytes(of id: String, range: Range<Int64>? = nil) async throws -> [UInt8] {
    let collected = Collected()
    let receipt = try await download(id, range: range, receive: collected.receive)
    #expect(receipt == Receipt(bytes: Int64(collected.bytes.count), md5: md5(collected.bytes)))
    return collected.bytes
  }
}

/// The error that `call` ends in; an issue when it does not.
@discardableResult
func refusal<Value>(
  _ kind: ServiceError.Kind, sourceLocation: SourceLocation = #_sourceLocation,
  _ call: () async throws(ServiceError) -> Value
) async -> ServiceError? {
  do throws(ServiceError) {
    _ = try await call()
    Issue.record("the call succeeded", sourceLocation: sourceLocation)
    return nil
  } catch {
    #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation)
    return error
  }
}
