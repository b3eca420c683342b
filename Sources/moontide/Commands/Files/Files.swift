import ArgumentParser
import FileSessions

struct Files: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Send files by hand, and look at what a service has.",
    discussion: """
      The same against Lightfield and the embedded service. On a terminal the output is a table, elsewhere lines \
      with tabs; --json prints the API's own objects.
      """,
    subcommands: [
      FilesCreate.self, FilesUpload.self, FilesGet.self, FilesList.self, FilesComplete.self, FilesCancel.self,
      FilesURL.self, FilesDownload.self,
    ])
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

/// An md5 as the API writes it.
struct MD5Option: ExpressibleByArgument {
  var digest: MD5Digest

  init?(argument: String) {
    guard let digest = MD5Digest(hex: argument) else { return nil }
    self.digest = digest
  }
}
