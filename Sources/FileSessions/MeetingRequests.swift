/// What a meeting is recorded with: the body of `POST /v1/meetings`.
package struct NewMeeting: Hashable, Sendable {
  package var title: String
  /// Both in the past.
  package var startDate: Timestamp
  package var endDate: Timestamp
  package var description: String?
  package var meetingURL: String?
  package var organizerEmail: String?
  package var attendeeEmails: [String]
  package var privacySetting: Meeting.Privacy?
  /// The id of a completed file.
  package var transcript: String?
  /// Whether accounts and contacts may be made for attendees from outside; nil leaves it to the service.
  package var autoCreateRecords: Bool?

  package init(
    title: String, startDate: Timestamp, endDate: Timestamp, description: String? = nil,
    meetingURL: String? = nil, organizerEmail: String? = nil, attendeeEmails: [String] = [],
    privacySetting: Meeting.Privacy? = nil, transcript: String? = nil, autoCreateRecords: Bool? = nil
  ) {
    self.title = title
    self.startDate = startDate
    self.endDate = endDate
    self.description = description
    self.meetingURL = meetingURL
    self.organizerEmail = organizerEmail
    self.attendeeEmails = attendeeEmails
    self.privacySetting = privacySetting
    self.transcript = transcript
    self.autoCreateRecords = autoCreateRecords
  }

  /// Reads a request's body; what does not fit is a 400 that names its place.
  package init(_ body: JSONObjectReader) throws(ServiceError) {
    try body.allow("fields", "relationships", "autoCreateRecords")
    let fields = try body.object("fields")
    try fields.allow(
      "$title", "$startDate", "$endDate", "$description", "$meetingUrl", "$organizerEmail", "$attendeeEmails",
      "$privacySetting")
    let relationships = try body.objectIfPresent("relationships")
    try relationships?.allow("$transcript")
    self.init(
      title: try fields.string("$title"), startDate: try fields.moment("$startDate"),
      endDate: try fields.moment("$endDate"),
      description: try fields.stringIfPresent("$description", orNull: true),
      meetingURL: try fields.stringIfPresent("$meetingUrl", orNull: true),
      organizerEmail: try fields.stringIfPresent("$organizerEmail", orNull: true),
      attendeeEmails: try fields.stringsIfPresent("$attendeeEmails") ?? [],
      privacySetting: try fields.privacy("$privacySetting"),
      transcript: try relationships?.soleIdentifier("$transcript"),
      autoCreateRecords: try body.boolIfPresent("autoCreateRecords"))
  }
}

extension NewMeeting: Codable {
  package init(from decoder: any Decoder) throws {
    try self.init(JSONObjectReader(JSONValue(from: decoder)))
  }

  /// Writes the API's body; what is nil, or an empty list, is left out.
  package func encode(to encoder: any Encoder) throws {
    var fields: [String: JSONValue] = [
      "$title": .string(title), "$startDate": .string(startDate.description),
      "$endDate": .string(endDate.description),
    ]
    fields["$description"] = description.map(JSONValue.string)
    fields["$meetingUrl"] = meetingURL.map(JSONValue.string)
    fields["$organizerEmail"] = organizerEmail.map(JSONValue.string)
    if !attendeeEmails.isEmpty { fields["$attendeeEmails"] = .array(attendeeEmails.map(JSONValue.string)) }
    fields["$privacySetting"] = privacySetting.map { .string($0.rawValue) }
    var body: [String: JSONValue] = ["fields": .object(fields)]
    body["relationships"] = transcript.map { .object(["$transcript": .string($0)]) }
    body["autoCreateRecords"] = autoCreateRecords.map(JSONValue.bool)
    try JSONValue.object(body).encode(to: encoder)
  }
}

/// What of a meeting is changed: the body of `POST /v1/meetings/{id}`. What is nil stays.
package struct MeetingChange: Hashable, Sendable {
  /// The id of a completed file that takes the place of the transcript.
  package var transcript: String?
  package var privacySetting: Meeting.Privacy?

  package init(transcript: String? = nil, privacySetting: Meeting.Privacy? = nil) {
    self.transcript = transcript
    self.privacySetting = privacySetting
  }

  /// Reads a request's body; what does not fit is a 400 that names its place.
  package init(_ body: JSONObjectReader) throws(ServiceError) {
    try body.allow("fields", "relationships")
    if let fields = try body.objectIfPresent("fields") {
      try fields.allow("$privacySetting")
      try fields.demand("$privacySetting")
      privacySetting = try fields.privacy("$privacySetting")
    }
    if let relationships = try body.objectIfPresent("relationships") {
      try relationships.allow("$transcript")
      let transcript = try relationships.object("$transcript")
      try transcript.allow("replace")
      self.transcript = try transcript.string("replace")
    }
  }
}

extension MeetingChange: Codable {
  package init(from decoder: any Decoder) throws {
    try self.init(JSONObjectReader(JSONValue(from: decoder)))
  }

  /// Writes the API's body; what is nil is left out.
  package func encode(to encoder: any Encoder) throws {
    var body: [String: JSONValue] = [:]
    body["fields"] = privacySetting.map { .object(["$privacySetting": .string($0.rawValue)]) }
    body["relationships"] = transcript.map { .object(["$transcript": .object(["replace": .string($0)])]) }
    try JSONValue.object(body).encode(to: encoder)
  }
}

extension JSONObjectReader {
  fileprivate func moment(_ name: String) throws(ServiceError) -> Timestamp {
    let text = try string(name)
    guard let moment = Timestamp(text) else {
      throw .invalid(
        place(name), code: .invalidValue,
        "\(place(name)) is \"\(text)\"; it must be an ISO 8601 time with a time zone, such as "
          + "2026-04-08T11:00:00Z.")
    }
    return moment
  }

  /// A privacy setting; nil when it is left out or null.
  fileprivate func privacy(_ name: String) throws(ServiceError) -> Meeting.Privacy? {
    guard let text = try stringIfPresent(name, orNull: true) else { return nil }
    guard let privacy = Meeting.Privacy(rawValue: text) else {
      throw .invalid(
        place(name), code: .invalidValue, "\(place(name)) is \"\(text)\"; it must be FULL or METADATA.")
    }
    return privacy
  }

  /// An id, bare or as a list of one.
  fileprivate func soleIdentifier(_ name: String) throws(ServiceError) -> String {
    guard case .array(let values) = self[name] else { return try string(name) }
    guard let first = try stringsIfPresent(name)?.first, values.count == 1 else {
      throw .invalid(
        place(name), code: .invalidValue, "\(place(name)) has \(values.count) ids; it takes one.")
    }
    return first
  }
}
