import FileSessions
import Glibc
import Ingestion
import Workspace

/// Rows of a plan as a table that fits the terminal; elsewhere with tabs, and whole.
struct PlanTable {
  /// What the table is written to.
  struct Terminal {
    /// Columns of text.
    var width: Int
    var hasColor: Bool

    /// That of standard output; nil where it is none.
    static var ofOutput: Terminal? {
      guard StandardStream.output.isTerminal else { return nil }
      var size = winsize()
      let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1
      let environment = LaunchEnvironment.variables
      let isPlain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false || environment["TERM"] == "dumb"
      return Terminal(width: isKnown ? Int(size.ws_col) : 80, hasColor: !isPlain)
    }
  }

  private static let heading = ["PATH", "→ FILENAME", "PURPOSE", "TYPE", "SIZE", "VERDICT"]
  /// The columns that may be cut, and how narrow they may become.
  private static let elastic = [0: 16, 1: 12, 2: 7, 3: 8]
  /// The same where there is no room for all columns: then purpose and type are left out.
  private static let narrow = (columns: [0, 1, 4, 5], elastic: [0: 8, 1: 10])
  private static let filenameColumn = 1
  private static let gap = 2

  /// Stands for the service's suffix where there is no room for its words.
  private static let mark = "<…>"

  private let terminal: Terminal?
  private var isBegun = false
  /// Whether the mark was used, so that it is explained.
  private var hasMarks = false
  /// Whether there is no room for all columns.
  private var isNarrow = false

  /// Whether each row names its recipe.
  private let namesRecipes: Bool

  init(terminal: Terminal?, namesRecipes: Bool) {
    self.terminal = terminal
    self.namesRecipes = namesRecipes
  }

  /// Further rows; the heading stands before the first.
  mutating func text(_ rows: [PlanRow]) -> String {
    guard let terminal else {
      return rows.map { row in
        (PlanText.cells(row, namesRecipes) + [row.reason?.printable ?? ""]).joined(separator: "\t") + "\n"
          + PlanText.steps(row).map { "\t\($0)\n" }.joined()
      }.joined()
    }
    if rows.isEmpty { return "" }
    var cells = rows.map { PlanText.cells($0, namesRecipes) }
    if Self.total(Self.widths(of: cells)) > terminal.width {
      for index in cells.indices {
        let short = cells[index][1].replacing(PlannedService.suffix, with: Self.mark)
        hasMarks = hasMarks || short != cells[index][1]
        cells[index][1] = short
      }
    }
    var heading = Self.heading
    var widths = Self.widths(of: [heading] + cells, within: terminal.width, Self.elastic)
    isNarrow = isNarrow || Self.total(widths) > terminal.width
    if isNarrow {
      heading = Self.narrow.columns.map { heading[$0] }
      cells = cells.map { row in Self.narrow.columns.map { row[$0] } }
      widths = Self.widths(of: [heading] + cells, within: terminal.width, Self.narrow.elastic)
    }
    var text = isBegun ? "" : Self.line(heading, widths, nil) + "\n"
    isBegun = true
    for (row, cells) in zip(rows, cells) {
      let color = terminal.hasColor ? row.verdict.color : nil
      text += Self.line(cells, widths, color)
      text += Self.reason(row.reason, widths, within: terminal.width)
      for step in PlanText.steps(row) { text += Self.wrapped(step, indent: 4, within: terminal.width) }
    }
    return text
  }

  /// What is to be said below the table; empty where it speaks for itself.
  var legend: String { hasMarks ? "\(Self.mark) is the \(PlannedService.suffix).\n" : "" }

  /// The widths that the cells need.
  private static func widths(of rows: [[String]]) -> [Int] {
    (rows.first ?? []).indices.map { column in rows.map { Cells.count($0[column]) }.max() ?? 0 }
  }

  private static func total(_ widths: [Int]) -> Int { widths.reduce(0, +) + gap * (widths.count - 1) }

  /// The widths that the cells need, or as much of them as there is room for.
  private static func widths(of rows: [[String]], within width: Int, _ elastic: [Int: Int]) -> [Int] {
    var widths = widths(of: rows)
    while total(widths) > width {
      let widest = elastic.filter { widths[$0.key] > $0.value }.max { widths[$0.key] < widths[$1.key] }
      guard let column = widest?.key else { break }
      widths[column] -= 1
    }
    return widths
  }

  private static func line(_ cells: [String], _ widths: [Int], _ color: Int?) -> String {
    var line = ""
    for (column, (cell, width)) in zip(cells, widths).enumerated() {
      let cut = column == filenameColumn ? shortened(cell, to: width) : cell.shortened(to: width)
      let isLast = column == widths.count - 1
      let space = String(repeating: " ", count: isLast ? 0 : max(0, width - Cells.count(cut)) + gap)
      let shown = isLast ? color.map { "\u{1B}[\($0)m\(cut)\u{1B}[0m" } ?? cut : cut
      line += shown + space
    }
    return line
  }

  /// A filename with its mark whole, whatever else is left out.
  private static func shortened(_ name: String, to width: Int) -> String {
    guard Cells.count(name) > width, let place = name.firstRange(of: mark) else {
      return name.shortened(to: width)
    }
    let (head, tail) = (String(name[..<place.lowerBound]), String(name[place.upperBound...]))
    let room = width - Cells.count(mark)
    let end = min(Cells.count(tail), room / 2)
    return head.shortened(to: room - end) + mark + tail.shortened(to: end)
  }

  /// The reason behind the row where there is room for it, else below.
  private static func reason(_ reason: String?, _ widths: [Int], within width: Int) -> String {
    guard let reason = reason?.printable, !reason.isEmpty else { return "\n" }
    let used = widths.reduce(0, +) + gap * widths.count
    if used + reason.count <= width {
      return String(repeating: " ", count: gap) + reason + "\n"
    }
    return "\n" + wrapped(reason, indent: 4, within: width)
  }

  /// Text in lines of at most `width`, broken between words where there are any.
  private static func wrapped(_ text: String, indent: Int, within width: Int) -> String {
    let room = max(16, width - indent)
    let margin = String(repeating: " ", count: indent)
    var lines = [""]
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      let isFirst = lines[lines.count - 1].isEmpty
      if isFirst {
        lines[lines.count - 1] = String(word)
      } else if lines[lines.count - 1].count + 1 + word.count <= room {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines.map { margin + $0 + "\n" }.joined()
  }
}

extension PlanRow.Verdict {
  /// The number of the colour in which terminals show it.
  fileprivate var color: Int {
    switch self {
    case .send, .resume: 32
    case .alreadySent, .touched, .ownWork: 2
    case .skip, .defer, .waiting, .inProgress, .left: 33
    case .reject, .fail, .problem: 31
    case .unknown: 36
    }
  }

  /// The word in tables.
  var word: String { rawValue.replacing("_", with: " ") }
}

extension String {
  /// The beginning and the end, with a mark for what is left out between them.
  fileprivate func shortened(to width: Int) -> String {
    guard Cells.count(self) > width, width > 1 else { return self }
    let end = (width - 1) / 2
    return Cells.cut(self, width - 1 - end) + Cells.fit(self, end + 1)
  }
}

/// The words of a plan's rows.
enum PlanText {
  /// Path, filename, purpose, MIME type, size and verdict.
  static func cells(_ row: PlanRow, _ namesRecipe: Bool) -> [String] {
    let filename = row.handler == nil ? row.sessionFilename?.printable ?? "-" : "unknown"
    return [
      (namesRecipe ? "\(row.recipe.printable): " : "") + row.path.printable, "→ " + filename,
      row.request?.purpose?.rawValue.printable ?? "-",
      row.request?.mimeType.printable ?? "-", row.size.map(Format.bytes) ?? "-", row.verdict.word,
    ]
  }

  /// What would be sent instead of the file, and done with files on the way, a line each.
  static func steps(_ row: PlanRow) -> [String] {
    prepared(row)
      + row.steps.map { step in
        switch step {
        case .change(let change): "→ " + text(change, of: row.path)
        case .note(let note): "→ " + note.printable
        case .failed(let message): "✗ afterwards: " + message.printable
        case .unknown(let handler, let point): "→ \(handler): \(point.printable)"
        }
      }
  }

  private static func prepared(_ row: PlanRow) -> [String] {
    // A part that was made for the file is called as in its path.
    guard let path = row.prepared, row.whole.map({ row.path != "\($0)/\(path)" }) ?? true else { return [] }
    return ["→ sends \(path.printable), which prepare gave"]
  }

  private static func text(_ change: Overlay.Change, of path: String) -> String {
    switch change {
    case .write(let path): "write \(path.printable)"
    case .makeDirectory(let path): "make the directory \(path.printable)"
    case .move(path, let target): "move \(target.printable)"
    case .move(let source, let target): "move \(source.printable) → \(target.printable)"
    case .copy(path, let target): "copy \(target.printable)"
    case .copy(let source, let target): "copy \(source.printable) → \(target.printable)"
    case .remove(path): "remove"
    case .remove(let other): "remove \(other.printable)"
    }
  }
}
