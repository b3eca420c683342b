import Glibc
import Synchronization

/// How grave a line is, as syslog counts it.
enum Level: Int, Sendable {
  case error = 3
  case warning = 4
  case notice = 5
  case info = 6
  case debug = 7
}

/// What stands before each line of text: nothing, or its level as journald reads it (`<3>`).
enum LineFormat: String, CaseIterable, Sendable {
  case plain
  case journal

  /// What was asked for with `--log-format`.
  private static let asked = Mutex<LineFormat?>(nil)

  /// Has every stream take this format, wherever it leads.
  static func ask(for format: LineFormat?) {
    asked.withLock { $0 = format }
  }

  /// The format for a stream: that which was asked for, else what systemd says of the stream.
  static func of(_ stream: StandardStream) -> LineFormat {
    asked.withLock { $0 } ?? (isJournal(stream) ? .journal : .plain)
  }

  /// Whether the stream leads to the journal: `JOURNAL_STREAM` has the device and inode of what systemd connected.
  private static func isJournal(_ stream: StandardStream) -> Bool {
    guard let place = LaunchEnvironment.variables["JOURNAL_STREAM"] else { return false }
    var status = stat()
    return fstat(stream.rawValue, &status) == 0 && place == "\(status.st_dev):\(status.st_ino)"
  }

  /// The text as it goes out, each of its lines marked.
  func text(_ text: String, _ level: Level) -> String {
    guard self == .journal else { return text }
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { "<\(level.rawValue)>\($0)" }
      .joined(separator: "\n")
  }
}
