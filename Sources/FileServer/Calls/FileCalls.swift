import FileSessions
import LocalService

/// The calls that open, finish and show files, for one caller.
struct FileCalls: Sendable {
  let service: LocalFileService
  let policy: FilePolicy
  let signer: URLSigner

  /// `POST /v1/files`
  func create(_ body: [UInt8], _ call: Call, key: String?) async throws(ServiceError) -> Answer {
    let file = try NewFile(JSONObjectReader(body: body))
    guard UploadHeaders.canCarry(file.mimeType) else {
      throw .invalid(
        "mimeType", code: .invalidValue, "The MIME type has characters that no header can carry.")
    }
    let session = try await service.create(file, key: key).session
    let headers = UploadHeaders(
      contentType: file.mimeType, refusesOverwrite: policy.refusesOverwrite(file.purpose))
    // Only an open session has an expiry; a replayed answer is the session as it was opened.
    let url = signer.uploadURL(
      of: session.id, headers: headers, until: session.expiresAt ?? session.createdAt, origin: call.origin)
    return try Answer(json: Opened(session: session, uploadURL: url, uploadHeaders: headers.fields))
  }

  /// `POST /v1/files/{id}/complete`
  func complete(_ body: [UInt8], _ call: Call, key: String?) async throws(ServiceError) -> Answer {
    let fields = try JSONObjectReader(body: body)
    try fields.allow("md5")
    var md5: MD5Digest?
    if let text = try fields.stringIfPresent("md5") {
      guard let digest = MD5Digest(hex: text) else {
        throw .invalid("md5", code: .invalidValue, "The md5 takes 32 hexadecimal digits, lower case.")
      }
      md5 = digest
    }
    return try Answer(json: try await service.complete(call.target, md5: md5, key: key))
  }

  /// `POST /v1/files/{id}/cancel`
  func cancel(_ body: [UInt8], _ call: Call, key: String?) async throws(ServiceError) -> Answer {
    try JSONObjectReader(body: body, isOptional: true).allow()
    return try Answer(json: try await service.cancel(call.target, key: key))
  }

  /// `GET /v1/files/{id}`
  func retrieve(_ call: Call) async throws(ServiceError) -> Answer {
    try Answer(json: try await service.retrieve(call.target))
  }

  /// `GET /v1/files`
  func list(_ call: Call) async throws(ServiceError) -> Answer {
    let (limit, offset) = (
      try call.query.number("limit", minimum: 1), try call.query.number("offset", minimum: 0)
    )
    return try Answer(json: try await service.list(limit: limit, offset: offset))
  }

  /// `GET /v1/files/{id}/url`
  func url(_ call: Call) async throws(ServiceError) -> Answer {
    // The embedded service's own URL is a file's, which is no use to a client; its expiry and its checks are.
    let local = try await service.url(call.target)
    let url = signer.downloadURL(of: call.target, until: local.expiresAt, origin: call.origin)
    return try Answer(json: DownloadURL(url: url, expiresAt: local.expiresAt))
  }

  /// A session with where its bytes go: what only `POST /v1/files` answers.
  private struct Opened: Encodable {
    var session: FileSession
    var uploadURL: String
    var uploadHeaders: [String: String]

    private enum CodingKeys: String, CodingKey {
      case uploadURL = "uploadUrl"
      case uploadHeaders
    }

    func encode(to encoder: any Encoder) throws {
      try session.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(uploadURL, forKey: .uploadURL)
      try container.encode(uploadHeaders, forKey: .uploadHeaders)
    }
  }
}
