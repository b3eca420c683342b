import Digests
import FileSessions

/// Makes the URLs that carry their own permission, and tells whether one is genuine.
///
/// The signature is an HMAC-SHA256 over method, id, expiry and headers, under a secret that never leaves the
/// store. It holds for whoever has the URL until the expiry, and for nothing else.
struct URLSigner: Sendable {
  private let secret: SigningSecret

  init(_ secret: SigningSecret) {
    self.secret = secret
  }

  /// Where the bytes of a session go.
  func uploadURL(
    of id: String, headers: UploadHeaders, until expiry: Timestamp, origin: String
  ) -> String {
    let signature = signature(.upload(id, headers), until: expiry)
    var query = "expires=\(expiry.milliseconds)&content-type=\(headers.contentType.percentEncoded)"
    if headers.refusesOverwrite { query += "&if-none-match=%2A" }
    return "\(origin)/uploads/\(id.percentEncoded)?\(query)&signature=\(signature)"
  }

  /// Where the bytes of a completed file come from.
  func downloadURL(of id: String, until expiry: Timestamp, origin: String) -> String {
    let signature = signature(.download(id), until: expiry)
    return "\(origin)/downloads/\(id.percentEncoded)?expires=\(expiry.milliseconds)&signature=\(signature)"
  }

  /// What a genuine upload URL asks for; throws a 403 when it is not, or its time has passed.
  func checkUpload(_ id: String, _ query: Query, at now: Timestamp) throws(ServiceError) -> UploadHeaders {
    let overwrite = query["if-none-match"]
    guard let contentType = query["content-type"], overwrite == nil || overwrite == "*" else {
      throw Self.forged
    }
    let headers = UploadHeaders(contentType: contentType, refusesOverwrite: overwrite != nil)
    try check(.upload(id, headers), query, at: now)
    return headers
  }

  /// Throws a 403 when a download URL is not genuine, or its time has passed.
  func checkDownload(_ id: String, _ query: Query, at now: Timestamp) throws(ServiceError) {
    try check(.download(id), query, at: now)
  }

  private func check(_ permission: Permission, _ query: Query, at now: Timestamp) throws(ServiceError) {
    guard let expiry = query["expires"].flatMap({ Int64($0) }).map(Timestamp.init(milliseconds:)),
      let signature = query["signature"],
      ConstantTime.equal(Array(signature.utf8), Array(self.signature(permission, until: expiry).utf8))
    else { throw Self.forged }
    guard now < expiry else {
      throw ServiceError(
        .forbidden, "The URL expired at \(expiry). \(permission.advice)", code: "signature_expired")
    }
  }

  private static let forged = ServiceError(
    .forbidden, "The signature does not match the URL. Use the URL exactly as the API gave it.",
    code: "signature_invalid")

  /// What a signature permits.
  private enum Permission {
    case upload(String, UploadHeaders)
    case download(String)

    /// Every part stands on a line of its own, and no part can hold a line's end but the id, which is escaped.
    var canonical: [String] {
      switch self {
      case .upload(let id, let headers):
        ["PUT", id.percentEncoded] + headers.fields.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }
      case .download(let id):
        ["GET", id.percentEncoded]
      }
    }

    var advice: String {
      switch self {
      case .upload: "Cancel the session and open a new one."
      case .download: "Ask for a new one: GET /v1/files/{id}/url."
      }
    }
  }

  private func signature(_ permission: Permission, until expiry: Timestamp) -> String {
    let text = (["moontide-url-1", String(expiry.milliseconds)] + permission.canonical).joined(
      separator: "\n")
    let digits = Array("0123456789abcdef".utf8)
    let code = HMACSHA256.code(for: Array(text.utf8), key: secret.bytes)
    return String(decoding: code.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
