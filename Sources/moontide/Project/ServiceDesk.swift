import FileSessions
import FoundationEssentials
import Workspace

/// What commands that talk to a service by hand work with.
struct ServiceDesk: Sendable {
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

  /// Sends files, each of which is noted in `journal` as long as its session is open.
  func sender(_ journal: UploadJournal?) -> FileSender {
    FileSender(
      service: destination.service, retry: Bench.retry, newKey: Bench.newKey, journal: journal)
  }

  /// Ends what earlier uploads to this service left open when they were killed.
  func endAbandonedUploads() async {
    let uploads = AbandonedUploads(
      destination: destination, retry: Bench.retry, clock: .system, note: Self.note)
    await uploads.end(in: UploadJournals.existing(in: statePath))
  }

  /// A journal for the uploads of this process; nil, and a warning, where none can be kept.
  func beginJournal() async -> UploadJournal? {
    do {
      guard let place = UploadJournals.place(in: statePath) else {
        throw CommandFailure(.usage, "HOME is not set.")
      }
      return try await offload { [destination] () throws(CommandFailure) in
        try UploadJournal(in: place, for: destination, clock: .system)
      }
    } catch {
      Self.note("warning: Nothing ends an upload that is killed, since no record of it can be kept: \(error)")
      return nil
    }
  }

  private static let note: @Sendable (String) -> Void = { complain($0, .warning) }

  /// Opens a file that is to be sent, and finds out its type where none is given.
  func open(_ path: String, mimeType: String?) async throws(WorkspaceError) -> (LocalFile, mimeType: String) {
    try await offload { [statePath, types] () throws(WorkspaceError) in
      let file = try LocalFile(path, besides: statePath)
      if let mimeType { return (file, mimeType) }
      return (file, try file.mimeType(types))
    }
  }
}
