import FileSessions
import Foundation
import SQLiteLedger

/// What a run is doing at the moment, left in a file for `moontide status`.
struct LiveStatus: Codable, Equatable {
  struct Transfer: Codable, Equatable {
    var path: String
    var bytes: Int64
    var of: Int64
  }

  /// More are not listed one by one.
  private static let listed = 20
  private static let name = "live.json"

  var v = 1
  var pid: Int32
  var at: Timestamp
  var sent: Int
  var failed: Int
  /// Of the last seconds; 0 where nothing is under way.
  var bytesPerSecond: Int64
  /// Files that are under way, and those that wait for a place.
  var underWay: Int
  var waiting: Int
  /// Of all those.
  var bytesLeft: Int64
  var transfers: [Transfer]
  /// What keeps files from being begun: `paused: key …a1b2 refused; 6 files waiting, asked again at 15:42:31`.
  var held: String?

  init(_ board: ProgressBoard, held: String?, at: Timestamp) {
    pid = getpid()
    self.at = at
    self.held = held
    sent = board.sent
    failed = board.failed
    bytesPerSecond = board.transfers.isEmpty ? 0 : board.rate(at: .now).map { Int64($0) } ?? 0
    underWay = board.transfers.count
    waiting = board.waiting
    bytesLeft = board.bytesLeft
    transfers = board.transfers.prefix(Self.listed).map {
      Transfer(path: $0.name, bytes: $0.bytes, of: $0.of)
    }
  }

  /// The same at any other time.
  func isAsGood(as other: LiveStatus) -> Bool {
    var other = other
    other.at = at
    return self == other
  }

  /// Leaves it there, in place of what was. Where that fails nobody is told: it is only for eyes.
  func write(to statePath: String) {
    let path = statePath + "/" + Self.name
    // Names of files are for this user only. The process that has the ledger is the only one that writes here.
    let descriptor = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    guard (try? StandardStream.write(Array(JSONText.line(self).utf8), to: descriptor)) != nil else { return }
    _ = rename(path + ".new", path)
  }

  static func remove(from statePath: String) {
    try? FileManager.default.removeItem(atPath: statePath + "/" + name)
  }

  /// What the process that works with the ledger has left; nil where it has left nothing.
  static func read(from statePath: String, of holder: LedgerHolder?) -> LiveStatus? {
    guard case .known(let owner) = holder,
      let data = FileManager.default.contents(atPath: statePath + "/" + name),
      let status = try? JSONDecoder().decode(LiveStatus.self, from: data), status.pid == owner.pid
    else { return nil }
    return status
  }

  /// In one line, what keeps files from being begun first.
  var line: String { [held, text].compactMap { $0 }.joined(separator: "; ") }

  /// In one line, without that.
  var text: String {
    var parts = [Format.count(underWay, "file") + " under way"]
    if waiting > 0 { parts.append("\(waiting) waiting") }
    if bytesLeft > 0 { parts.append("\(Format.bytes(bytesLeft)) to go") }
    if bytesPerSecond > 0 { parts.append("\(Format.bytes(bytesPerSecond))/s") }
    return parts.joined(separator: ", ") + "; \(sent) sent, \(failed) failed since it began"
  }
}
