import ArgumentParser
import FileSessions
import Ingestion
import Workspace

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

/// What every files command takes.
struct FilesOptions: ParsableArguments {
  @OptionGroup var project: ProjectOptions
  @OptionGroup var target: DestinationOptions

  @Flag(help: "Print the API's JSON.")
  var json = false

  /// Opens the destination for `body`, which Ctrl-C cancels, and tells what a service says in words.
  ///
  func with(
    _ intent: Destination.Intent, _ body: @escaping @Sendable (FilesDesk) async throws -> Void
  ) async throws {
    let workspace = try project.openWorkspace()
    try await Destination.with(target, in: workspace, for: intent) { destination in
      let desk = FilesDesk(destination: destination, statePath: workspace.statePath)
      let stop = StopSignal()
      let interruption = Interruption(
        stop: stop, announce: { StandardStream.error.write($0 + "\n") }, cancelsAtOnce: true)
      let result = await interruption.watching {
        do { return Result<Void, any Error>.success(try await body(desk)) } catch { return .failure(error) }
      }
      do {
        try result.get()
      } catch let error as CommandFailure {
        throw error
      } catch {
        if interruption.wasInterrupted || stop.isRequested { throw ExitStatus.interrupted }
        guard let error = error as? ServiceError else { throw error }
        throw CommandFailure(
          ServiceErrorText.status(of: error), ServiceErrorText.text(error, at: destination))
      }
    }
  }
}

/// What the files commands work with.
struct FilesDesk: Sendable {
  let destination: Destination
  /// Moontide's own, which is never sent.
  let statePath: String
  private let types = MIMETypes()

  init(destination: Destination, statePath: String) {
    self.destination = destination
    self.statePath = statePath
  }

  /// The service, whose calls are tried again as usual.
  var service: RetryingService { RetryingService(destination.service, retry: Bench.retry) }

  var sender: FileSender {
    FileSender(service: destination.service, retry: Bench.retry, newKey: Bench.newKey)
  }

  /// Opens a file that is to be sent, and finds out its type where none is given.
  func open(_ path: String, mimeType: String?) async throws(WorkspaceError) -> (LocalFile, mimeType: String) {
    try await offload { [statePath, types] () throws(WorkspaceError) in
      let file = try LocalFile(path, besides: statePath)
      if let mimeType { return (file, mimeType) }
      return (file, try file.mimeType(types))
    }
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

/// An md5 as the API writes it.
struct MD5Option: ExpressibleByArgument {
  var digest: MD5Digest

  init?(argument: String) {
    guard let digest = MD5Digest(hex: argument) else { return nil }
    self.digest = digest
  }
}
