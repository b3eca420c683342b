import FileSessions

/// One meeting as a person reads it.
enum MeetingsText {
  /// Prints a meeting, as JSON or each fact on a line.
  static func show(_ meeting: Meeting, json: Bool) {
    StandardStream.output.write(json ? JSONText.pretty(meeting) + "\n" : FactLines.text(facts(meeting)))
  }

  private static func facts(_ meeting: Meeting) -> [[String]] {
    var facts = [["id", meeting.id.printable]]
    for (name, field) in meeting.fields.sorted(by: { order($0.key) < order($1.key) }) {
      facts.append([String(name.drop { $0 == "$" }).printable, text(field.value)])
    }
    for (name, relationship) in meeting.relationships.sorted(by: { $0.key < $1.key }) {
      let values = relationship.values.map(\.printable).joined(separator: ", ")
      facts.append([String(name.drop { $0 == "$" }).printable, values.isEmpty ? "-" : values])
    }
    facts += [
      ["createdAt", meeting.createdAt.description], ["updatedAt", meeting.updatedAt?.description ?? "-"],
    ]
    if let link = meeting.httpLink { facts.append(["httpLink", link.printable]) }
    return facts
  }

  /// The title and the times first, then by name.
  private static func order(_ field: String) -> (Int, String) {
    (["$title", "$startDate", "$endDate"].firstIndex(of: field) ?? 3, field)
  }

  static func text(_ value: JSONValue) -> String {
    switch value {
    case .null: "-"
    case .string(let text): text.printable
    case .array(let values): values.isEmpty ? "-" : values.map(text).joined(separator: ", ")
    case .bool, .integer, .number, .object: JSONText.line(value).printable
    }
  }
}

/// Meetings, each on a line: in columns under a heading on a terminal, with tabs elsewhere.
struct MeetingsTable {
  private var table = RowTable(heading: ["ID", "START", "END", "TRANSCRIPT", "TITLE"])

  /// A page of the list.
  mutating func text(_ list: MeetingList, offset: Int) -> String {
    guard StandardStream.output.isTerminal else { return rows(list.data) }
    if list.data.isEmpty { return "No meetings.\n" }
    return rows(list.data) + "\(offset + 1) to \(offset + list.data.count) of \(list.totalCount)\n"
  }

  /// Further meetings of the same table.
  mutating func rows(_ meetings: [Meeting]) -> String {
    table.text(
      meetings.map { meeting in
        [
          meeting.id.printable, meeting.startDate?.description ?? "-", meeting.endDate?.description ?? "-",
          meeting.transcript?.printable ?? "-", meeting.title?.printable ?? "-",
        ]
      })
  }
}
