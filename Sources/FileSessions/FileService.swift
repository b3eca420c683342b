/// The file API as one caller sees it: Lightfield, or the local service.
///
/// Every call is a single attempt that ends in a value or in a ``ServiceError``; who wants retries asks a
/// ``RetryPolicy``, or wraps the service in ``RetryingService``. Implementations are safe to call from
/// many tasks at once.
package protocol FileService: Sendable {
  /// Opens a session.
  ///
  /// - Parameter key: the idempotency key, at most 255 characters, or nil. A repeat with the same key within
  ///   24 hours gives the same session.
  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession

  /// Sends the bytes of an open session, from the first one.
  func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt

  /// Finishes a session whose bytes are there. With an md5 the service compares before it completes; when the
  /// bytes are missing or differ it answers 422 and the session stays `PENDING`.
  func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession

  /// Gives up a session that is `PENDING`. With a key, a repeat whose first answer was lost is no conflict.
  func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession

  /// The session as it stands now, never from an index that lags.
  func retrieve(_ id: String) async throws(ServiceError) -> FileSession

  /// A page of sessions, newest first. `limit` is 1 or more (25 at most are given), `offset` 0 or more.
  func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList

  /// A place from which a completed file can be fetched.
  func url(_ id: String) async throws(ServiceError) -> DownloadURL

  /// Hands the bytes of a completed file to `receive`, in order, in pieces of at most 1 MiB.
  ///
  /// - Parameter range: which bytes, nil for all; cut to what is there.
  /// - Returns: how many bytes were handed over, and their MD5.
  func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt
}

/// The edges that the contract sets for every service.
package enum FileServiceLimits {
  /// Sessions on a page of `list`, when not told and at the most.
  package static let pageSize = 25
  /// Characters of an idempotency key.
  package static let idempotencyKeyLength = 255
  /// How long a service remembers an idempotency key.
  package static let idempotencyMemory = Duration.seconds(24 * 60 * 60)
}
