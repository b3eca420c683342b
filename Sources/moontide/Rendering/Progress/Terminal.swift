import Glibc

/// The lines and columns of a terminal.
struct TerminalSize: Hashable, Sendable {
  var columns: Int
  var rows: Int

  /// What the terminal of a stream says; that of the first terminals where it does not know.
  static func of(_ stream: StandardStream) -> TerminalSize {
    var size = winsize()
    guard ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1, size.ws_row > 0 else {
      return TerminalSize(columns: 80, rows: 24)
    }
    return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
  }
}

/// What may be shown on a terminal: colours, and characters beyond ASCII.
struct TerminalLook: Hashable, Sendable {
  var hasColour = false
  var hasBlocks = false

  static let plain = TerminalLook()

  init(hasColour: Bool = false, hasBlocks: Bool = false) {
    self.hasColour = hasColour
    self.hasBlocks = hasBlocks
  }

  /// What the environment asks for: `NO_COLOR` set to anything takes colours away, and a locale without UTF-8 the
  /// characters that bars are made of.
  init(_ environment: [String: String]) {
    hasColour = environment["NO_COLOR", default: ""].isEmpty
    let locale =
      ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    let encoding = locale.lowercased()
    hasBlocks = encoding.contains("utf-8") || encoding.contains("utf8")
  }

  /// A bar that is full up to `part` (0…1), of just so many cells.
  func bar(_ part: Double, width: Int) -> String {
    guard hasBlocks else {
      let full = Int(part * Double(max(width - 2, 0)))
      let rest = max(width - 2, 0) - full
      return "[" + green(String(repeating: "#", count: full)) + String(repeating: "-", count: rest) + "]"
    }
    let full = Int(part * Double(width))
    return green(String(repeating: "█", count: full)) + dim(String(repeating: "░", count: width - full))
  }

  func red(_ text: String) -> String { painted(text, "31") }
  func green(_ text: String) -> String { painted(text, "32") }
  func yellow(_ text: String) -> String { painted(text, "33") }
  private func dim(_ text: String) -> String { painted(text, "2") }

  private func painted(_ text: String, _ code: String) -> String {
    hasColour && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}

extension StandardStream {
  /// Whether lines can be drawn there over others: a terminal that says what it is, and is not `dumb`.
  var isScreen: Bool {
    let name = LaunchEnvironment.variables["TERM"] ?? ""
    return isTerminal && !name.isEmpty && name != "dumb"
  }
}
