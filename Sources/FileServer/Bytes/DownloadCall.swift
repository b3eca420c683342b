import FileSessions
import LocalService

/// The `GET` and `HEAD` of a completed file's bytes.
struct DownloadCall: Sendable {
  let store: LocalStore
  let signer: URLSigner
  let clock: WallClock

  /// The file, a part of it, or what is said instead; a `HEAD` gets the same head.
  func answer(_ call: Call) async throws(ServiceError) -> Answer {
    try signer.checkDownload(call.target, call.query, at: clock.now)
    let file = try await store.open(call.target)
    // Bytes of a completed file never change, so their md5 is a strong tag.
    let tag = "\"\(file.md5)\""
    if let known = call.headers["if-none-match"], Self.list(known, has: tag) {
      return Answer(status: 304, headers: [("etag", tag), ("cache-control", "private")])
    }
    let applies = call.headers["if-range"].map { $0 == tag } ?? true
    let range = applies ? call.headers["range"].flatMap { ByteRange($0, of: file.length) } : nil
    var answer: Answer
    switch range {
    case .unsatisfiable?:
      answer = Answer(
        ServiceError(
          .badRequest, "The file has \(file.length) bytes.", status: 416, code: "range", param: "range"))
      answer.headers.append(("content-range", "bytes */\(file.length)"))
      return answer
    case .part(let part)?:
      answer = Answer(status: 206, body: .file(file, part))
      answer.headers.append(
        ("content-range", "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(file.length)"))
    case nil:
      answer = Answer(status: 200, body: .file(file, 0..<file.length))
    }
    answer.headers += Self.headers(of: file, tag: tag)
    return answer
  }

  private static func headers(of file: StoredFile, tag: String) -> [(name: String, value: String)] {
    let type = file.session.mimeType
    return [
      ("content-type", UploadHeaders.canCarry(type) ? type : "application/octet-stream"),
      ("content-disposition", ContentDisposition.attachment(file.session.filename)),
      ("etag", tag),
      ("accept-ranges", "bytes"),
      ("cache-control", "private"),
      // Anybody's files come from the API's own origin: no browser is to run what is in them.
      ("x-content-type-options", "nosniff"),
      ("content-security-policy", "sandbox; default-src 'none'"),
    ]
  }

  /// Whether a list of entity tags has `tag`; weak ones count, as RFC 9110 has it for `If-None-Match`.
  private static func list(_ text: String, has tag: String) -> Bool {
    text.split(separator: ",").contains { item in
      let item = item.drop { $0 == " " }.prefix { $0 != " " }
      return item == "*" || item == tag || item == "W/\(tag)"
    }
  }
}
