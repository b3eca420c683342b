/// What a file is for: a hint that the service checks when a session is created.
///
/// Any string is a purpose, so that one which the API gains tomorrow needs no new release; the service decides.
package struct Purpose: RawRepresentable, Hashable, Sendable {
  /// The name as the API spells it.
  package let rawValue: String

  package init(rawValue: String) {
    self.rawValue = rawValue
  }

  /// To be attached to a meeting.
  package static let meetingTranscript = Purpose(rawValue: "meeting_transcript")
  /// The caller's personal uploads area, readable by the assistant.
  package static let knowledgeUser = Purpose(rawValue: "knowledge_user")
  /// The organisation's shared uploads area; organisation admins only.
  package static let knowledgeWorkspace = Purpose(rawValue: "knowledge_workspace")
  /// Part of a sent email; 20 MiB a file.
  package static let emailAttachment = Purpose(rawValue: "email_attachment")

  /// The purposes of API version 2026-03-01.
  package static let known: [Purpose] = [
    .meetingTranscript, .knowledgeUser, .knowledgeWorkspace, .emailAttachment,
  ]
}

extension Purpose: Codable {
  package init(from decoder: any Decoder) throws {
    self.init(rawValue: try decoder.singleValueContainer().decode(String.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}

extension Purpose: CustomStringConvertible {
  package var description: String { rawValue }
}
