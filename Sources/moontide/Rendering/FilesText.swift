import FileSessions

/// One file, or what else a call gave, as a person reads it.
enum FilesText {
  /// Prints a file, as JSON or in words.
  static func show(_ session: FileSession, json: Bool) {
    StandardStream.output.write(json ? JSONText.pretty(session) + "\n" : details(session))
  }

  /// Each fact on a line: in columns on a terminal, with a tab elsewhere.
  static func details(_ session: FileSession) -> String { FactLines.text(facts(session)) }

  /// The same of a session that was just opened, with where its bytes go.
  static func details(_ opened: OpenedSession) -> String {
    var facts = facts(opened.session)
    switch opened.target {
    case .presigned(let url, let headers):
      facts.append(["uploadUrl", url.printable])
      for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
        facts.append(["uploadHeaders", "\(name.printable): \(value.printable)"])
      }
    case .local:
      facts.append(["upload", "moontide files upload --id \(opened.session.id) FILE"])
    }
    return FactLines.text(facts)
  }

  static func details(_ place: DownloadURL) -> String {
    FactLines.text([["url", place.url.printable], ["expiresAt", place.expiresAt.description]])
  }

  private static func facts(_ session: FileSession) -> [[String]] {
    [
      ["id", session.id.printable],
      ["filename", session.filename.printable],
      ["mimeType", session.mimeType.printable],
      ["sizeBytes", "\(session.sizeBytes)"],
      ["status", session.status.rawValue],
      ["createdAt", session.createdAt.description],
      ["completedAt", session.completedAt?.description ?? "-"],
      ["expiresAt", session.expiresAt?.description ?? "-"],
    ]
  }
}

/// Files, each on a line: in columns under a heading on a terminal, with tabs elsewhere.
struct FilesTable {
  private var table = RowTable(heading: ["ID", "STATUS", "BYTES", "TYPE", "FILENAME"])

  /// A page of the list.
  mutating func text(_ list: FileList, offset: Int) -> String {
    guard StandardStream.output.isTerminal else { return rows(list.data) }
    if list.data.isEmpty { return "No files.\n" }
    return rows(list.data) + "\(offset + 1) to \(offset + list.data.count) of \(list.totalCount)\n"
  }

  /// Further files of the same table.
  mutating func rows(_ sessions: [FileSession]) -> String {
    table.text(sessions.map(Self.cells))
  }

  /// A file as the cells of a row.
  static func cells(_ session: FileSession) -> [String] {
    [
      session.id.printable, session.status.rawValue, "\(session.sizeBytes)", session.mimeType.printable,
      session.filename.printable,
    ]
  }
}
