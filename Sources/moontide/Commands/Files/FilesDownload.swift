import ArgumentParser
import FileSessions
import FoundationEssentials

struct FilesDownload: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "download", abstract: "Write a file's bytes to standard output, or into a file.",
    discussion:
      "A file appears under its name when it is whole, and never in place of another without --force.")

  @OptionGroup var options: ServiceOptions
  @OptionGroup var identity: FileIdentity

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The file to write, or the directory to put it in; - for standard output.", valueName: "path"))
  var output: String?

  @Option(help: "What the bytes have to have for an md5.")
  var md5: MD5Option?

  @Flag(help: "Replace the file if it is there already.")
  var force = false

  func validate() throws {
    let isFile = output.map { $0 != "-" } ?? false
    if !isFile, options.json { throw ValidationError("--json goes with --output PATH.") }
    if !isFile, force { throw ValidationError("--force goes with --output PATH.") }
  }

  func run() async throws {
    if output == nil, StandardStream.output.isTerminal {
      throw CommandFailure(
        .usage, "The bytes would go to the terminal. Give --output FILE, or --output - if you mean it.")
    }
    let id = try identity.value
    try await options.with(.look) { [self] desk in
      let session = try await desk.service.retrieve(id)
      let fetcher = FileFetcher(service: desk.destination.service, retry: Bench.retry)
      if let output, output != "-" {
        let target = try DownloadTarget(Self.path(output, for: session), replacing: force)
        let receipt = try await fetcher.fetch(session, md5: md5?.digest) { try target.write($0) }
        try target.place()
        tell(target.path, receipt)
      } else {
        _ = try await fetcher.fetch(session, md5: md5?.digest) { try StandardStream.output.write(bytes: $0) }
      }
    }
  }

  /// The path as given, or in the directory that was given under the file's own name.
  private static func path(_ output: String, for session: FileSession) -> String {
    var isDirectory = false
    guard FileManager.default.fileExists(atPath: output, isDirectory: &isDirectory), isDirectory else {
      return output
    }
    // The service chose the name: it must not lead elsewhere.
    let name = session.filename.printable.split(separator: "/").joined(separator: "_")
    return output + (output.hasSuffix("/") ? "" : "/") + ([".", "..", ""].contains(name) ? session.id : name)
  }

  private func tell(_ path: String, _ receipt: Receipt) {
    if options.json {
      say(JSONText.line(Download(path: path, bytes: receipt.bytes, md5: receipt.md5)))
    } else if StandardStream.output.isTerminal {
      say("\(path.printable): \(Format.bytes(receipt.bytes)), md5 \(receipt.md5)")
    } else {
      say("\(path.printable)\t\(receipt.bytes)\t\(receipt.md5)")
    }
  }

  /// What a download came to.
  private struct Download: Encodable {
    var path: String
    var bytes: Int64
    var md5: MD5Digest
  }
}
