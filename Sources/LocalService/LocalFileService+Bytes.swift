import Digests
import FileSessions
import FoundationEssentials

extension LocalFileService {
  package func upload(
    _ opened: OpenedSession, _ source: any ByteSource
  ) async throws(ServiceError) -> Receipt {
    try await startUpload(opened.session.id).send(source)
  }

  /// Begins to receive a session's bytes piece by piece, as a server does.
  ///
  /// Throws what stands against it: 404, 409 where the session is not `PENDING`, 412 where bytes are there that
  /// must not be overwritten.
  package func startUpload(_ id: String) async throws(ServiceError) -> UploadWriter {
    try caller.require(.filesCreate)
    return try await store.startUpload(id, in: caller.organisation)
  }

  /// A `file://` URL of the bytes, which any program on this machine that may read the store can fetch.
  ///
  /// `expiresAt` is one session lifetime from now. Nothing ends the URL then; it is how long one may rely on it,
  /// as with any other service.
  package func url(_ id: String) async throws(ServiceError) -> DownloadURL {
    try caller.require(.filesRead)
    let (_, bytes) = try await store.completed(id, in: caller.organisation)
    let path = store.blobs.path(of: bytes.blob)
    return DownloadURL(
      url: URL(filePath: path, directoryHint: .notDirectory).absoluteString,
      expiresAt: store.clock.now + .seconds(store.policy.sessionLifetime))
  }

  package func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt {
    let file = try await open(id)
    let whole = 0..<file.length
    let range = (range ?? whole).clamped(to: whole)
    let digest = RunningDigest()
    var offset = range.lowerBound
    while offset < range.upperBound {
      if Task.isCancelled { throw .cancelled }
      let count = Int(min(range.upperBound - offset, Int64(BlobDirectory.pieceSize)))
      let piece = try await file.read(at: offset, count: count, into: digest)
      offset += Int64(piece.count)
      do {
        try await receive(piece)
      } catch {
        throw Self.handingOn(id, failed: error)
      }
    }
    let md5 = digest.finish()
    if range == whole && md5 != file.md5 {
      throw .damagedBytes(id, "their md5 is \(md5), it was \(file.md5)")
    }
    return Receipt(bytes: offset - range.lowerBound, md5: md5)
  }

  /// Opens a completed file, to read any part of it.
  package func open(_ id: String) async throws(ServiceError) -> StoredFile {
    try caller.require(.filesRead)
    return try await store.open(id, in: caller.organisation)
  }

  private static func handingOn(_ id: String, failed error: any Error) -> ServiceError {
    switch error {
    case let error as ServiceError: error
    case is CancellationError: .cancelled
    default: ServiceError(.unexpected, "The bytes of \(id) could not be handed on: \(error).")
    }
  }
}
