/// A meeting, as the API returns it.
package struct Meeting: Hashable, Sendable, Codable {
  /// A value and its type, one of the API's such as `TEXT`, `DATETIME`, `EMAIL`.
  package struct Field: Hashable, Sendable, Codable {
    package var value: JSONValue
    package var valueType: String

    package init(value: JSONValue, valueType: String) {
      self.value = value
      self.valueType = valueType
    }
  }

  /// What a meeting is linked to.
  package struct Relationship: Hashable, Sendable, Codable {
    /// `has_one` or `has_many`.
    package var cardinality: String
    /// What the values are ids of, such as `file`.
    package var objectType: String
    package var values: [String]

    package init(cardinality: String, objectType: String, values: [String]) {
      self.cardinality = cardinality
      self.objectType = objectType
      self.values = values
    }
  }

  /// Who may see how much of a meeting.
  package enum Privacy: String, Hashable, Sendable, Codable, CaseIterable {
    case full = "FULL"
    case metadata = "METADATA"
  }

  /// `mtg_…`
  package var id: String
  package var createdAt: Timestamp
  package var updatedAt: Timestamp?
  /// The meeting's page in the application, for a person.
  package var httpLink: String?
  /// How much of the meeting the caller may see.
  package var accessLevel: Privacy
  /// By name, with its dollar sign: `$title`, `$startDate`, `$endDate`, `$attendeeEmails` and so on.
  package var fields: [String: Field]
  /// By name, with its dollar sign: `$transcript`.
  package var relationships: [String: Relationship]

  package init(
    id: String, createdAt: Timestamp, updatedAt: Timestamp?, httpLink: String?, accessLevel: Privacy,
    fields: [String: Field], relationships: [String: Relationship]
  ) {
    self.id = id
    self.createdAt = createdAt
    self.updatedAt = updatedAt
    self.httpLink = httpLink
    self.accessLevel = accessLevel
    self.fields = fields
    self.relationships = relationships
  }

  package var title: String? { fields["$title"]?.value.string }
  package var startDate: Timestamp? { fields["$startDate"]?.value.string.flatMap(Timestamp.init) }
  package var endDate: Timestamp? { fields["$endDate"]?.value.string.flatMap(Timestamp.init) }
  /// The id of the file that is the meeting's transcript.
  package var transcript: String? { relationships["$transcript"]?.values.first }
}

extension Meeting {
  private enum CodingKeys: String, CodingKey {
    case id, createdAt, updatedAt, httpLink, accessLevel, fields, relationships, objectType
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    id = try container.decode(String.self, forKey: .id)
    createdAt = try container.decode(Timestamp.self, forKey: .createdAt)
    updatedAt = try container.decodeIfPresent(Timestamp.self, forKey: .updatedAt)
    httpLink = try container.decodeIfPresent(String.self, forKey: .httpLink)
    accessLevel = try container.decode(Privacy.self, forKey: .accessLevel)
    fields = try container.decode([String: Field].self, forKey: .fields)
    relationships = try container.decode([String: Relationship].self, forKey: .relationships)
  }

  /// Writes every key of the contract, `null` where there is no value.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode("meeting", forKey: .objectType)
    try container.encode(createdAt, forKey: .createdAt)
    try container.encode(updatedAt, forKey: .updatedAt)
    try container.encode(httpLink, forKey: .httpLink)
    try container.encode(accessLevel, forKey: .accessLevel)
    try container.encode(fields, forKey: .fields)
    try container.encode(relationships, forKey: .relationships)
  }
}

/// A page of meetings.
package struct MeetingList: Hashable, Sendable, Codable {
  package var data: [Meeting]
  /// How many meetings there are in all, on every page.
  package var totalCount: Int

  package init(data: [Meeting], totalCount: Int) {
    self.data = data
    self.totalCount = totalCount
  }
}

extension MeetingList {
  private enum CodingKeys: String, CodingKey { case data, object, totalCount }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    data = try container.decode([Meeting].self, forKey: .data)
    totalCount = try container.decode(Int.self, forKey: .totalCount)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(data, forKey: .data)
    try container.encode("list", forKey: .object)
    try container.encode(totalCount, forKey: .totalCount)
  }
}
