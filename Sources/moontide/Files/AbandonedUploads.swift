import FileSessions
import FoundationEssentials
import Glibc
import Workspace

/// Ends the sessions that uploads left open whose process is gone.
struct AbandonedUploads: Sendable {
  let destination: Destination
  let retry: Retrier
  let clock: WallClock
  /// Tells the person something.
  let note: @Sendable (String) -> Void

  /// Cancels what is recorded in these directories as this service's; what is another's stays.
  ///
  /// Errors are told, and keep the record for the next time.
  func end(in directories: [String]) async {
    for directory in directories {
      do {
        for record in try await offload({ try AbandonedRecord.all(in: directory) }) {
          // A service that is away now is no less so for the next one.
          if await !end(record) { return }
        }
      } catch {
        note("warning: What earlier uploads left open is not known: \(error)")
      }
    }
  }

  /// Ends what a record has open; false when the service cannot be asked.
  private func end(_ record: AbandonedRecord) async -> Bool {
    if record.isEmpty {
      record.remove()
      return true
    }
    let ours = UploadJournal.Heading(destination)
    guard let heading = record.heading, heading.version == ours.version, heading.service == ours.service
    else { return true }
    var left = 0
    for upload in record.open {
      if Task.isCancelled { return false }
      do throws(ServiceError) {
        if try await end(upload, ofSameKey: heading.keyHint == ours.keyHint) {
          record.ended(upload.key)
        } else {
          left += 1
          tell(
            upload, "It was opened with the key \(heading.keyHint ?? "…"); an upload with that one ends it.")
        }
      } catch {
        left += 1
        tell(upload, "\(error.description.printable) The next upload tries again to end it.")
        if error.kind == .unreachable { return false }
      }
    }
    if left == 0 { record.remove() }
    return true
  }

  private func tell(_ upload: AbandonedRecord.Upload, _ why: String) {
    if Task.isCancelled { return }
    note(
      "An earlier upload of \(upload.name) was cut off, and its session may be open until it expires. \(why)")
  }

  /// Ends a session; false when this cannot be done with this key.
  private func end(
    _ upload: AbandonedRecord.Upload, ofSameKey isSameKey: Bool
  ) async throws(ServiceError) -> Bool {
    let service = destination.service
    let isForgotten = clock.now - upload.opening.at > FileServiceLimits.idempotencyMemory
    var id = upload.session?.id
    if id == nil {
      // The service no longer knows the idempotency key, and has let the session expire.
      if isForgotten { return true }
      guard isSameKey else { return false }
      do throws(ServiceError) {
        // The answer may have been lost: the same request under the same key gives the same session.
        let opened = try await retry { () async throws(ServiceError) in
          try await service.create(upload.opening.request, key: upload.key)
        }
        id = opened.session.id
      } catch {
        // A key that is refused today may have opened it yesterday.
        guard error.refusesForGood, ServiceErrorText.status(of: error) != .service else { throw error }
      }
    }
    guard let id else { return true }
    do throws(ServiceError) {
      let key = upload.key + ".cancel"
      _ = try await retry { () async throws(ServiceError) in try await service.cancel(id, key: key) }
      note("An earlier upload of \(upload.name) was cut off; its session \(id.printable) is cancelled.")
    } catch {
      switch error.kind {
      case .notFound:
        // Another key may be another organisation's; that one's session expires by itself.
        return isSameKey || isForgotten
      case .conflict:
        // It has ended already; a key that may not look cannot tell how.
        let session = try? await retry { () async throws(ServiceError) in try await service.retrieve(id) }
        if let session, session.status != .completed { break }
        let verb = session == nil ? "may be" : "is"
        note(
          "An earlier upload of \(upload.name) was cut off, but the file \(verb) COMPLETED: \(id.printable). "
            + "Send it again only if there is to be a second one.")
      default:
        throw error
      }
    }
    return true
  }
}

extension ServiceError {
  /// Whether a request to open a session was refused, so that there is none.
  ///
  /// Anything else may hide that an earlier try opened one.
  var refusesForGood: Bool {
    switch kind {
    case .badRequest, .unauthorized, .forbidden, .notFound, .unsupportedMediaType, .unprocessableContent,
      .tooLarge:
      true
    case .requestTimeout, .conflict, .idempotencyConflict, .objectExists, .uploadRefused, .tooManyRequests,
      .internalServerError, .serviceUnavailable, .gatewayTimeout, .unreachable, .source, .unexpected:
      false
    }
  }
}

/// A record whose process is gone. It is locked as long as this is there, so that one process alone sees to it.
private final class AbandonedRecord: Sendable {
  /// A session that was open at last, or was being asked for.
  struct Upload: Sendable {
    var key: String
    var opening: UploadJournal.Opening
    var session: FileSession?

    /// The file, for people.
    var name: String { opening.path.printable }
  }

  /// Whether the process was killed before it wrote anything.
  let isEmpty: Bool
  /// Nil where it cannot be understood: a later version of Moontide may have written it.
  let heading: UploadJournal.Heading?
  let open: [Upload]
  private let file: String
  private let descriptor: Int32

  /// Every record in a directory that nobody holds. Blocks.
  static func all(in directory: String) throws -> [AbandonedRecord] {
    let names = try FileManager.default.contentsOfDirectory(atPath: directory)
    let files = names.filter { $0.hasSuffix(UploadJournal.suffix) }.sorted().map { directory + "/" + $0 }
    return try UploadJournal.locking(directory) { _ in files.compactMap(AbandonedRecord.init(taking:)) }
  }

  private init?(taking file: String) {
    let descriptor = Glibc.open(file, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, let content = FileManager.default.contents(atPath: file)
    else {
      close(descriptor)
      return nil
    }
    self.file = file
    self.descriptor = descriptor
    let lines = content.split(separator: UInt8(ascii: "\n"))
    heading = lines.first.flatMap { try? JSONDecoder().decode(UploadJournal.Heading.self, from: $0) }
    isEmpty = !content.contains(UInt8(ascii: "\n"))
    if content.last != UInt8(ascii: "\n") {
      // A line that was cut off must not take with it what is noted next.
      try? StandardStream.write([UInt8(ascii: "\n")], to: descriptor)
    }
    var open: [Upload] = []
    for line in lines.dropFirst() {
      guard let step = try? JSONDecoder().decode(UploadJournal.Step.self, from: line) else { continue }
      if let opening = step.opening { open.append(Upload(key: step.idempotencyKey, opening: opening)) }
      guard let index = open.firstIndex(where: { $0.key == step.idempotencyKey }) else { continue }
      if let session = step.session { open[index].session = session }
      if step.hasEnded == true { open.remove(at: index) }
    }
    self.open = open
  }

  deinit {
    close(descriptor)
  }

  /// Notes that a session has ended, so that nobody asks for it again.
  func ended(_ key: String) {
    try? UploadJournal.append(UploadJournal.Step(idempotencyKey: key, hasEnded: true), to: descriptor)
  }

  func remove() {
    unlink(file)
  }
}
