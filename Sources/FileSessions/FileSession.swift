/// A file upload session, as the API returns it from every files call.
package struct FileSession: Hashable, Sendable {
  /// `fil_…`
  package var id: String
  /// The name that the service gave, which a knowledge purpose changes.
  package var filename: String
  package var mimeType: String
  /// The announced length in bytes.
  package var sizeBytes: Int64
  package var status: FileStatus
  package var createdAt: Timestamp
  /// When an open session ends by itself; nil once it is completed, cancelled or expired.
  package var expiresAt: Timestamp?
  /// When it was completed, or nil.
  package var completedAt: Timestamp?

  package init(
    id: String, filename: String, mimeType: String, sizeBytes: Int64, status: FileStatus,
    createdAt: Timestamp, expiresAt: Timestamp?, completedAt: Timestamp?
  ) {
    self.id = id
    self.filename = filename
    self.mimeType = mimeType
    self.sizeBytes = sizeBytes
    self.status = status
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.completedAt = completedAt
  }
}

extension FileSession: Codable {
  private enum CodingKeys: String, CodingKey {
    case id, filename, mimeType, sizeBytes, status, createdAt, expiresAt, completedAt
  }

  /// Writes every key of the contract, `null` where there is no value.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(filename, forKey: .filename)
    try container.encode(mimeType, forKey: .mimeType)
    try container.encode(sizeBytes, forKey: .sizeBytes)
    try container.encode(status, forKey: .status)
    try container.encode(createdAt, forKey: .createdAt)
    try container.encode(expiresAt, forKey: .expiresAt)
    try container.encode(completedAt, forKey: .completedAt)
  }
}

/// Where a session's bytes go.
package enum UploadTarget: Hashable, Sendable, Codable {
  /// A `PUT` to this URL with exactly these headers and no credentials: the URL carries its own signature.
  case presigned(url: String, headers: [String: String])
  /// The store of the service in this process.
  case local
}

/// What opening a session gives: the session, and where its bytes go.
package struct OpenedSession: Hashable, Sendable {
  package var session: FileSession
  package var target: UploadTarget

  package init(session: FileSession, target: UploadTarget) {
    self.session = session
    self.target = target
  }
}

/// A page of sessions, newest `createdAt` first.
package struct FileList: Hashable, Sendable {
  package var data: [FileSession]
  /// How many sessions there are in all, on every page.
  package var totalCount: Int

  package init(data: [FileSession], totalCount: Int) {
    self.data = data
    self.totalCount = totalCount
  }
}

extension FileList: Codable {
  private enum CodingKeys: String, CodingKey { case data, object, totalCount }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    data = try container.decode([FileSession].self, forKey: .data)
    totalCount = try container.decode(Int.self, forKey: .totalCount)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(data, forKey: .data)
    try container.encode("list", forKey: .object)
    try container.encode(totalCount, forKey: .totalCount)
  }
}

/// A place from which a completed file can be fetched for a while.
package struct DownloadURL: Hashable, Sendable, Codable {
  package var url: String
  package var expiresAt: Timestamp

  package init(url: String, expiresAt: Timestamp) {
    self.url = url
    self.expiresAt = expiresAt
  }
}
