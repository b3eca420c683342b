import FileSessions
import GRDB

/// A session as its row has it: what the API shows, and what it does not.
struct SessionRecord: Hashable, Sendable {
  /// What arrived of the session's bytes.
  struct Bytes: Hashable, Sendable {
    /// The name in the ``BlobDirectory``.
    var blob: String
    var receipt: Receipt
  }

  var session: FileSession
  /// Bytes that are there are never replaced (`if-none-match: *`).
  var refusesOverwrite: Bool
  var bytes: Bytes?

  /// Whether the session's time has passed and its row does not say so yet.
  func isDue(at now: Timestamp) -> Bool {
    guard case .become = session.status.transition(on: .expire), let expiresAt = session.expiresAt else {
      return false
    }
    return expiresAt <= now
  }
}

extension SessionRecord {
  static let columns = """
    id, filename, mime_type, size_bytes, status, created_at, expires_at, completed_at, refuses_overwrite, blob,
    received_bytes, received_md5
    """

  /// Reads the ``columns``.
  init(_ row: Row) throws {
    guard let status = FileStatus(rawValue: row[4]) else {
      throw DatabaseError(
        resultCode: .SQLITE_CORRUPT,
        message: "the status \(row[4] as String) of \(row[0] as String) is unknown")
    }
    session = FileSession(
      id: row[0], filename: row[1], mimeType: row[2], sizeBytes: row[3], status: status,
      createdAt: Timestamp(milliseconds: row[5]),
      expiresAt: (row[6] as Int64?).map(Timestamp.init(milliseconds:)),
      completedAt: (row[7] as Int64?).map(Timestamp.init(milliseconds:)))
    refusesOverwrite = row[8]
    if let blob: String = row[9], let md5 = (row[11] as String?).flatMap(MD5Digest.init(hex:)) {
      bytes = Bytes(blob: blob, receipt: Receipt(bytes: row[10], md5: md5))
    }
  }
}
