import ArgumentParser
import FileSessions

struct FilesCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Open a session: the first of the three steps.",
    discussion: """
      Prints where the bytes go: PUT them to uploadUrl with exactly uploadHeaders and without the API key, then \
      moontide files complete. The embedded service has no URL; moontide files upload --id ID FILE sends its bytes.
      """)

  @OptionGroup var options: ServiceOptions

  @Option(help: "The name that the file gets.")
  var filename: String

  @Option(help: "Such as text/markdown.")
  var mimeType: String

  @Option(help: "How many bytes will be sent.")
  var sizeBytes: Int64

  @Option(help: "What the file is for, such as meeting_transcript.")
  var purpose: String?

  func run() async throws {
    let request = NewFile(
      filename: filename, mimeType: mimeType, sizeBytes: sizeBytes,
      purpose: purpose.map(Purpose.init(rawValue:)))
    try await options.with(.send) { [json = options.json] desk in
      let opened = try await desk.service.create(request, key: Bench.newKey())
      StandardStream.output.write(
        json ? JSONText.pretty(OpenedJSON(opened)) + "\n" : FilesText.details(opened))
    }
  }
}

/// The API's object for a session that was opened: the session with `uploadUrl` and `uploadHeaders`.
///
/// Of the embedded service the URL is null, and there are no headers.
struct OpenedJSON: Encodable {
  private enum CodingKeys: String, CodingKey { case uploadUrl, uploadHeaders }

  let opened: OpenedSession

  init(_ opened: OpenedSession) { self.opened = opened }

  func encode(to encoder: any Encoder) throws {
    try opened.session.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch opened.target {
    case .presigned(let url, let headers):
      try container.encode(url, forKey: .uploadUrl)
      try container.encode(headers, forKey: .uploadHeaders)
    case .local:
      try container.encodeNil(forKey: .uploadUrl)
      try container.encode([String: String](), forKey: .uploadHeaders)
    }
  }
}

struct FilesComplete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "complete",
    abstract: "Complete a session whose bytes were sent: the last of the three steps.")

  @OptionGroup var options: ServiceOptions
  @OptionGroup var identity: FileIdentity

  @Option(
    help: "The md5 of the bytes, 32 small hexadecimal digits; the service compares before it completes.")
  var md5: MD5Option?

  func run() async throws {
    let id = try identity.value
    try await options.with(.send) { [json = options.json, md5] desk in
      FilesText.show(try await desk.service.complete(id, md5: md5?.digest, key: Bench.newKey()), json: json)
    }
  }
}

struct FilesCancel: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Give up a session that is PENDING.")

  @OptionGroup var options: ServiceOptions
  @OptionGroup var identity: FileIdentity

  func run() async throws {
    let id = try identity.value
    try await options.with(.send) { [json = options.json] desk in
      FilesText.show(try await desk.service.cancel(id, key: Bench.newKey()), json: json)
    }
  }
}
