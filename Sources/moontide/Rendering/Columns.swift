/// Rows in columns that are as wide as what they held so far, so that a table can be printed in parts.
struct Columns {
  private var widths: [Int] = []

  mutating func text(_ rows: [[String]]) -> String {
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    return rows.map { row in
      let padded = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return padded.joined(separator: "  ").trimmedAtEnd + "\n"
    }.joined()
  }
}

extension String {
  fileprivate var trimmedAtEnd: String {
    var text = self[...]
    while text.last == " " { text = text.dropLast() }
    return String(text)
  }
}

/// Rows that may be printed in parts: in columns under a heading on a terminal, with tabs elsewhere.
struct RowTable {
  private var heading: [String]?
  private var columns = Columns()

  init(heading: [String]) {
    self.heading = heading
  }

  /// Further rows; the heading stands before the first.
  mutating func text(_ rows: [[String]]) -> String {
    guard StandardStream.output.isTerminal else {
      return rows.map { $0.joined(separator: "\t") + "\n" }.joined()
    }
    guard let heading, !rows.isEmpty else { return columns.text(rows) }
    self.heading = nil
    return columns.text([heading] + rows)
  }
}

/// Facts, each on a line with its name: in columns on a terminal, with a tab elsewhere.
enum FactLines {
  static func text(_ facts: [[String]]) -> String {
    guard StandardStream.output.isTerminal else {
      return facts.map { $0.joined(separator: "\t") + "\n" }.joined()
    }
    var columns = Columns()
    return columns.text(facts)
  }
}
