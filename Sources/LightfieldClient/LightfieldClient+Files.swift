import FileSessions

extension LightfieldClient: FileService {
  package func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    try await call(.createFile(file, key: key), CreatedFile.self).opened
  }

  package func complete(
    _ id: String, md5: MD5Digest?, key: String?
  ) async throws(ServiceError) -> FileSession {
    try await call(.completeFile(id, md5: md5, key: key), FileSession.self)
  }

  package func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession {
    try await call(.cancelFile(id, key: key), FileSession.self)
  }

  package func retrieve(_ id: String) async throws(ServiceError) -> FileSession {
    try await call(.file(id), FileSession.self)
  }

  package func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    try await call(.files(limit: limit, offset: offset), FileList.self)
  }

  package func url(_ id: String) async throws(ServiceError) -> DownloadURL {
    try await call(.fileURL(id), DownloadURL.self)
  }
}

/// The answer of `POST /v1/files`: the session, and beside its fields where the bytes go.
private struct CreatedFile: Decodable {
  private enum CodingKeys: String, CodingKey { case uploadUrl, uploadHeaders }

  let opened: OpenedSession

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    opened = OpenedSession(
      session: try FileSession(from: decoder),
      target: .presigned(
        url: try container.decode(String.self, forKey: .uploadUrl),
        headers: try container.decode([String: String].self, forKey: .uploadHeaders)))
  }
}
