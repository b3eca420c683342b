import ArgumentParser
import FileSessions
import FoundationEssentials
import Glibc
import LocalService

struct Files: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at the files that a service has.",
    subcommands: [FilesList.self, FilesGet.self, FilesDownload.self])
}

/// What every files command takes.
struct FilesOptions: ParsableArguments {
  @OptionGroup var project: ProjectOptions

  @Option(help: ArgumentHelp("The destination; this version has one, local.", valueName: "name"))
  var profile: String?

  /// The service, opened for looking only.
  func service() async throws -> any FileService {
    try await Destination.open(in: project.openWorkspace(), profile: profile, sweeping: .never).service
  }
}

/// A file's id, bare or as `--id`.
struct FileIdentity: ParsableArguments {
  @Argument(help: "The file's id, fil_…")
  var identity: String?

  @Option(name: .customLong("id"), help: "The same, as an option.")
  var option: String?

  /// The id that was given.
  var value: String {
    get throws {
      guard let id = option ?? identity, option == nil || identity == nil || option == identity else {
        throw ValidationError("Name one file: moontide files get fil_…")
      }
      return id
    }
  }

  func validate() throws {
    _ = try value
  }
}

struct FilesList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List files, newest first.")

  @OptionGroup var options: FilesOptions

  @Flag(help: "Print the API's list object.")
  var json = false

  @Flag(help: "Every file, one JSON object a line.")
  var all = false

  @Option(help: "How many files; a page has 25 at the most.")
  var limit: Int?

  @Option(help: "How many files to pass over first.")
  var offset: Int?

  func validate() throws {
    if all && (limit != nil || offset != nil) {
      throw ValidationError("--all gives every file; leave out --limit and --offset.")
    }
  }

  func run() async throws {
    let service = try await options.service()
    try await reporting {
      if all {
        try await printAll(of: service)
      } else {
        let list = try await service.list(limit: limit, offset: offset)
        let text = json ? JSONText.pretty(list) + "\n" : FilesText.table(list, offset: offset ?? 0)
        StandardStream.output.write(text)
      }
    }
  }

  private func printAll(of service: any FileService) async throws {
    var offset = 0
    var seen: Set<String> = []
    while true {
      let page = try await service.list(limit: FileServiceLimits.pageSize, offset: offset)
      if page.data.isEmpty { return }
      // Files that arrive meanwhile push others onto the next page, where they would be met again.
      for session in page.data where seen.insert(session.id).inserted { say(JSONText.line(session)) }
      offset += page.data.count
    }
  }
}

struct FilesGet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "get", abstract: "Show one file.")

  @OptionGroup var options: FilesOptions
  @OptionGroup var identity: FileIdentity

  @Flag(help: "Print the API's object.")
  var json = false

  func run() async throws {
    let service = try await options.service()
    try await reporting {
      let session = try await service.retrieve(identity.value)
      StandardStream.output.write(json ? JSONText.pretty(session) + "\n" : FilesText.details(session))
    }
  }
}

struct FilesDownload: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "download", abstract: "Write a file's bytes to standard output, or into a file.")

  @OptionGroup var options: FilesOptions
  @OptionGroup var identity: FileIdentity

  @Flag(help: "Print what was written as JSON; goes with --output FILE.")
  var json = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The file to write, which must not be there yet; - for standard output.", valueName: "file"))
  var output: String?

  func run() async throws {
    let service = try await options.service()
    if output == nil, StandardStream.output.isTerminal {
      throw CommandFailure(
        .usage, "The bytes would go to the terminal. Give --output FILE, or --output - if you mean it.")
    }
    try await reporting {
      if let output, output != "-" {
        try await download(from: service, to: output)
      } else {
        _ = try await service.download(identity.value, range: nil) { bytes in
          try StandardStream.output.write(bytes: bytes)
        }
      }
    }
  }

  /// Downloads beside the target and moves it there when it is whole.
  private func download(from service: any FileService, to path: String) async throws {
    let part = path + ".part-\(getpid())"
    let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw CommandFailure(.usage, "\(part) cannot be made: \(systemMessage())") }
    defer {
      close(descriptor)
      unlink(part)
    }
    let receipt = try await service.download(identity.value, range: nil) { bytes in
      try StandardStream.write(bytes, to: descriptor)
    }
    guard fsync(descriptor) == 0, link(part, path) == 0 else {
      throw CommandFailure(.usage, "\(path) cannot be made: \(systemMessage())")
    }
    if json {
      say(JSONText.line(Download(path: path, bytes: receipt.bytes, md5: receipt.md5)))
    } else {
      say("\(path): \(Format.bytes(receipt.bytes)), md5 \(receipt.md5)")
    }
  }

  func validate() throws {
    if json && (output == nil || output == "-") { throw ValidationError("--json goes with --output FILE.") }
  }

  /// What a download came to.
  private struct Download: Encodable {
    var path: String
    var bytes: Int64
    var md5: MD5Digest
  }
}

/// Runs `body`, and tells what the service said in words.
private func reporting(_ body: () async throws -> Void) async throws {
  do {
    try await body()
  } catch let error as ServiceError {
    let status: ExitStatus = error.kind.concernsService || error.kind == .forbidden ? .service : .filesFailed
    throw CommandFailure(status, error.description)
  }
}
