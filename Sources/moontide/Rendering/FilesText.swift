import FileSessions

/// Files as a person reads them.
enum FilesText {
  /// A table on a terminal, lines with tabs elsewhere.
  static func table(_ list: FileList, offset: Int) -> String {
    let rows = list.data.map {
      [$0.id, $0.status.rawValue, "\($0.sizeBytes)", $0.mimeType, $0.filename.printable]
    }
    guard StandardStream.output.isTerminal else { return lines(rows) }
    if rows.isEmpty { return "No files.\n" }
    let shown = "\(offset + 1) to \(offset + rows.count) of \(list.totalCount)\n"
    return columns([["ID", "STATUS", "BYTES", "TYPE", "FILENAME"]] + rows) + shown
  }

  /// Each fact on a line.
  static func details(_ session: FileSession) -> String {
    columns([
      ["id", session.id],
      ["filename", session.filename.printable],
      ["type", session.mimeType],
      ["bytes", "\(session.sizeBytes)"],
      ["status", session.status.rawValue],
      ["created", session.createdAt.description],
      ["completed", session.completedAt?.description ?? "–"],
      ["expires", session.expiresAt?.description ?? "–"],
    ])
  }

  private static func lines(_ rows: [[String]]) -> String {
    rows.map { $0.joined(separator: "\t") + "\n" }.joined()
  }

  private static func columns(_ rows: [[String]]) -> String {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
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
