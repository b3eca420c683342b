import FileSessions

/// What the store does for callers that proved their right in another way than by a key: by a signed URL, say.
extension LocalStore {
  /// Begins to receive the bytes of any organisation's session; throws as
  /// ``LocalFileService/startUpload(_:)`` does.
  package func startUpload(_ id: String) async throws(ServiceError) -> UploadWriter {
    try await startUpload(id, in: nil)
  }

  /// Opens a completed file of any organisation, to read any part of it.
  package func open(_ id: String) async throws(ServiceError) -> StoredFile {
    try await open(id, in: nil)
  }

  func startUpload(_ id: String, in organisation: String?) async throws(ServiceError) -> UploadWriter {
    let record = try await record(id, in: organisation)
    try record.requireRoomForBytes()
    return UploadWriter(store: self, session: record.session, organisation: organisation)
  }

  func open(_ id: String, in organisation: String?) async throws(ServiceError) -> StoredFile {
    let (session, bytes) = try await completed(id, in: organisation)
    return try await StoredFile(session: session, bytes: bytes, store: self)
  }

  /// The session, and where its bytes are.
  func completed(
    _ id: String, in organisation: String?
  ) async throws(ServiceError) -> (session: FileSession, bytes: SessionRecord.Bytes) {
    let record = try await record(id, in: organisation)
    try record.require(.download)
    guard let bytes = record.bytes else { throw .damagedBytes(id, "the session names none") }
    return (record.session, bytes)
  }
}
