import FileSessions

/// What a call made of a session: the record as it is to be written, and the bytes that are to go.
struct SessionChange {
  var record: SessionRecord
  /// Blobs that belong to nothing once the change is written.
  var garbage: [String] = []
}

/// The decisions about one session: each takes the record as it stands and gives what it becomes, or the error
/// that the caller gets. Nothing here reads a clock, a file or a table.
extension SessionRecord {
  /// The status that `event` leads to; throws the 409 where the status forbids it.
  private func status(after event: FileEvent) throws(ServiceError) -> FileStatus {
    switch session.status.transition(on: event) {
    case .become(let status): return status
    case .stay: return session.status
    case .refuse: throw session.status.conflict(on: event, session: session.id)
    }
  }

  /// Throws the 409 where the status forbids `event`.
  func require(_ event: FileEvent) throws(ServiceError) {
    _ = try status(after: event)
  }

  /// Throws what stands against bytes that are about to arrive.
  func requireRoomForBytes() throws(ServiceError) {
    try require(.receive)
    if refusesOverwrite && bytes != nil {
      throw ServiceError(
        .objectExists,
        "The bytes of \(session.id) are there already, and a knowledge file is never overwritten. "
          + "Complete the session with their md5, or open a new one.")
    }
  }

  /// Bytes arrived; those that were there before go.
  func receiving(_ arrived: Bytes) throws(ServiceError) -> SessionChange {
    try requireRoomForBytes()
    var record = self
    record.bytes = arrived
    return SessionChange(record: record, garbage: bytes.map { [$0.blob] } ?? [])
  }

  /// `complete` was asked for.
  func completing(md5: MD5Digest?, at now: Timestamp) throws(ServiceError) -> SessionChange {
    let next = try status(after: .complete)
    guard let receipt = bytes?.receipt else {
      throw ServiceError(
        .unprocessableContent,
        "No bytes have arrived for \(session.id): upload its \(session.sizeBytes) bytes first.")
    }
    guard receipt.bytes == session.sizeBytes else {
      throw ServiceError(
        .unprocessableContent,
        "\(receipt.bytes) bytes have arrived for \(session.id), but \(session.sizeBytes) were announced: "
          + "upload all of them.")
    }
    if let md5, md5 != receipt.md5 {
      throw ServiceError(
        .unprocessableContent,
        "The bytes of \(session.id) have the md5 \(receipt.md5), not \(md5): upload them again.")
    }
    var record = self
    record.session.status = next
    record.session.expiresAt = nil
    record.session.completedAt = now
    return SessionChange(record: record)
  }

  /// `cancel` was asked for; what arrived goes.
  func cancelling() throws(ServiceError) -> SessionChange {
    ending(as: try status(after: .cancel))
  }

  /// The session's time passed; what arrived goes. A session that has none left stays as it is.
  func expiring(at now: Timestamp) -> SessionChange {
    guard isDue(at: now), case .become(let next) = session.status.transition(on: .expire) else {
      return SessionChange(record: self)
    }
    return ending(as: next)
  }

  private func ending(as status: FileStatus) -> SessionChange {
    var record = self
    record.session.status = status
    record.session.expiresAt = nil
    record.bytes = nil
    return SessionChange(record: record, garbage: bytes.map { [$0.blob] } ?? [])
  }
}
