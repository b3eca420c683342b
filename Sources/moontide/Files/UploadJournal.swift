import FileSessions
import FoundationEssentials
import Glibc
import Synchronization

/// What one `files upload` has open, so that the next one can end it where this one cannot: after `kill -9`.
///
/// A file of its own in a directory of them, a line of JSON for each step. It is locked as long as the process lives,
/// and goes with it unless something is still open:
///
/// ```
/// {"service":"https://api.lightfield.app","keyHint":"…a1b2","version":1}
/// {"idempotencyKey":"6f1c…","opening":{"path":"a.txt","request":{…},"at":"2026-04-08T09:00:00.000Z"}}
/// {"idempotencyKey":"6f1c…","session":{"id":"fil_…",…}}
/// {"idempotencyKey":"6f1c…","hasEnded":true}
/// ```
///
/// `opening` is on the disk before the session is asked for; `hasEnded` says that it is completed, or given up.
final class UploadJournal: Sendable {
  /// The first line: whose sessions these are.
  struct Heading: Codable, Hashable {
    var version = 1
    /// The service's address; nil for the embedded one.
    var service: String?
    /// The end of the key, by which the organisation is known.
    var keyHint: String?

    init(_ destination: Destination) {
      service = destination.access?.address.description
      keyHint = destination.access?.keyHint
    }
  }

  /// Each further line: a step of one session, which is known by the idempotency key that it is opened with.
  struct Step: Codable {
    var idempotencyKey: String
    var opening: Opening?
    var session: FileSession?
    var hasEnded: Bool?
  }

  struct Opening: Codable {
    /// The file, as it was named.
    var path: String
    var request: NewFile
    var at: Timestamp
  }

  /// What the names of these files end in.
  static let suffix = ".jsonl"

  private let file: String
  private let descriptor: Int32
  private let clock: WallClock
  /// The keys of what is open.
  private let open = Mutex(Set<String>())

  /// Begins the record of this process. Blocks.
  ///
  /// - Parameter directory: where such records are kept; made where it is not there.
  init(in directory: String, for destination: Destination, clock: WallClock) throws(CommandFailure) {
    self.clock = clock
    file = directory + "/" + UUID().uuidString.lowercased() + Self.suffix
    try ownDirectory(directory, named: directory)
    // Nobody looks for records without a process before this one is locked.
    descriptor = try Self.locking(directory) { [file] folder throws(CommandFailure) in
      let descriptor = Glibc.open(
        file, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0, fsync(folder) == 0 else {
        throw CommandFailure(.usage, "\(file) cannot be written: \(systemMessage()).")
      }
      return descriptor
    }
    try Self.append(Heading(destination), to: descriptor)
  }

  deinit {
    if open.withLock(\.isEmpty) { unlink(file) }
    close(descriptor)
  }

  /// Notes, on the disk, that a session is about to be asked for. Blocks.
  func opening(_ request: NewFile, of path: String, key: String) throws(CommandFailure) {
    let opening = Opening(path: path, request: request, at: clock.now)
    try Self.append(Step(idempotencyKey: key, opening: opening), to: descriptor)
    guard fdatasync(descriptor) == 0 else {
      throw CommandFailure(.usage, "\(file) cannot be written: \(systemMessage()).")
    }
    open.withLock { _ = $0.insert(key) }
  }

  /// Notes the session that the service gave. Where that cannot be written, the key still leads to it.
  func opened(_ session: FileSession, key: String) {
    try? Self.append(Step(idempotencyKey: key, session: session), to: descriptor)
  }

  /// Notes that the session is completed, or given up. Where that cannot be written, the service tells.
  func ended(key: String) {
    try? Self.append(Step(idempotencyKey: key, hasEnded: true), to: descriptor)
    open.withLock { _ = $0.remove(key) }
  }

  /// Writes a line at once: what a process that is killed wrote last is whole, or has no end and does not count.
  static func append(_ line: some Encodable, to descriptor: Int32) throws(CommandFailure) {
    do throws(CommandFailure) {
      try StandardStream.write(Array((JSONText.line(line) + "\n").utf8), to: descriptor)
    } catch {
      // What was written of it must not take the next line with it.
      try? StandardStream.write([UInt8(ascii: "\n")], to: descriptor)
      throw error
    }
  }

  /// Runs `body` while no other process begins a record in the directory, or looks through it.
  static func locking<Value>(
    _ directory: String, _ body: (Int32) throws(CommandFailure) -> Value
  ) throws(CommandFailure) -> Value {
    let folder = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else {
      throw CommandFailure(.usage, "\(directory) cannot be read: \(systemMessage()).")
    }
    defer { close(folder) }
    while flock(folder, LOCK_EX) != 0 {
      guard errno == EINTR else {
        throw CommandFailure(.usage, "\(directory) cannot be locked: \(systemMessage()).")
      }
    }
    return try body(folder)
  }
}

/// Where records of uploads are kept.
enum UploadJournals {
  /// Below the project's state, or in the user's own where a directory is to become no project.
  ///
  /// Nil where there is neither.
  static func place(in statePath: String) -> String? {
    FileManager.default.fileExists(atPath: statePath) ? project(statePath) : user
  }

  /// All of them that are there.
  static func existing(in statePath: String) -> [String] {
    [project(statePath), user].compactMap { $0 }.filter(FileManager.default.fileExists(atPath:))
  }

  private static func project(_ statePath: String) -> String { statePath + "/uploads" }

  /// `$XDG_STATE_HOME/moontide/uploads` or `~/.local/state/moontide/uploads`.
  private static var user: String? {
    // The specification has relative ones ignored.
    func absolute(_ name: String) -> String? {
      LaunchEnvironment.variables[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    let base = absolute("XDG_STATE_HOME") ?? absolute("HOME").map { $0 + "/.local/state" }
    return base.map { $0 + "/moontide/uploads" }
  }
}
