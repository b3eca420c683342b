import FileSessions
import LuaHost

extension Meeting {
  /// The value that scripts get.
  var luaValue: LuaValue { .object(LuaObject(self, type: Self.luaType)) }

  /// How scripts see a meeting; the names are the API's in snake_case.
  static let luaType = LuaObjectType<Meeting>("meeting") { type in
    type.value("id") { .string($0.id) }
    type.value("title") { $0.text("$title") }
    type.value("start_date") { $0.text("$startDate") }
    type.value("end_date") { $0.text("$endDate") }
    type.value("description") { $0.text("$description") }
    type.value("meeting_url") { $0.text("$meetingUrl") }
    type.value("organizer_email") { $0.text("$organizerEmail") }
    type.value("attendee_emails") { $0.fields["$attendeeEmails"]?.value.luaValue ?? .nil }
    type.value("privacy_setting") { $0.text("$privacySetting") }
    type.value("transcript") { $0.transcript.map { .string($0) } ?? .nil }
    type.value("access_level") { .string($0.accessLevel.rawValue) }
    type.value("http_link") { $0.httpLink.map { .string($0) } ?? .nil }
    type.value("created_at") { .string($0.createdAt.description) }
    type.value("updated_at") { $0.updatedAt.map { .string($0.description) } ?? .nil }
    type.value("fields") { .fields($0.fields.mapValues(\.value.luaValue)) }
    type.text { meeting in
      "meeting(\(meeting.id), \(escapingControls(meeting.title ?? "without a title")))"
    }
  }

  private func text(_ field: String) -> LuaValue {
    fields[field]?.value.string.map { .string($0) } ?? .nil
  }
}

extension JSONValue {
  /// The value as scripts have it; `null` is nil.
  fileprivate var luaValue: LuaValue {
    switch self {
    case .null: .nil
    case .bool(let value): .boolean(value)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .string(let value): .string(value)
    case .array(let values): .list(values.map(\.luaValue))
    case .object(let members): .fields(members.mapValues(\.luaValue))
    }
  }
}

/// `kind` is `meeting`, `code` is `ambiguous`; `meetings` are the ids of those that match.
extension AmbiguousMeeting: LuaErrorFields {
  package func luaField(_ name: String) -> LuaValue? {
    switch name {
    case "kind": "meeting"
    case "code": "ambiguous"
    case "meetings": .list(meetings.map { .string($0.id) })
    case "message": .string("\(escapingControls(description)); narrow it down, or say first = true")
    default: nil
    }
  }
}
