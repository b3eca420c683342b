import FileSessions
import Foundation
import Testing

/// The error that reading a body ends in.
private func refusal<Value>(_ body: String, _ read: (JSONObjectReader) throws(ServiceError) -> Value)
  -> ServiceError?
{
  do throws(ServiceError) {
    _ = try read(JSONObjectReader(body: Array(body.utf8)))
    return nil
  } catch {
    return error
  }
}

@Suite("Reading request bodies")
struct RequestTests {
  @Test("a file's body is read")
  func file() throws {
    let body = #"{"filename":"ü.md","mimeType":"text/markdown","sizeBytes":29.0,"purpose":"knowledge_user"}"#
    let file = try NewFile(JSONObjectReader(body: Array(body.utf8)))
    #expect(
      file
        == NewFile(filename: "ü.md", mimeType: "text/markdown", sizeBytes: 29, purpose: .knowledgeUser))
  }

  @Test(
    "what is wrong with a file's body is named",
    arguments: [
      ("", "invalid_json", "body"), ("{", "invalid_json", "body"), ("[]", "invalid_type", "body"),
      ("null", "invalid_type", "body"), (#"{"a":1}{"#, "invalid_json", "body"),
      (#"{"mimeType":"a/b","sizeBytes":1}"#, "parameter_missing", "filename"),
      (#"{"filename":1,"mimeType":"a/b","sizeBytes":1}"#, "invalid_type", "filename"),
      (#"{"filename":"a","mimeType":null,"sizeBytes":1}"#, "invalid_type", "mimeType"),
      (#"{"filename":"a","mimeType":"a/b"}"#, "parameter_missing", "sizeBytes"),
      (#"{"filename":"a","mimeType":"a/b","sizeBytes":"1"}"#, "invalid_type", "sizeBytes"),
      (#"{"filename":"a","mimeType":"a/b","sizeBytes":1.5}"#, "invalid_type", "sizeBytes"),
      (#"{"filename":"a","mimeType":"a/b","sizeBytes":true}"#, "invalid_type", "sizeBytes"),
      (#"{"filename":"a","mimeType":"a/b","sizeBytes":1,"purpose":null}"#, "invalid_type", "purpose"),
      (#"{"filename":"a","mimeType":"a/b","sizeBytes":1,"md5":"x","more":1}"#, "unknown_field", "md5"),
    ])
  func badFiles(body: String, code: String, param: String) {
    let error = refusal(body) { body throws(ServiceError) in try NewFile(body) }
    #expect(
      error?.status == 400 && error?.code == code && error?.param == param, "\(String(describing: error))")
  }

  @Test("no body counts as an empty object only where it may")
  func noBody() throws {
    try JSONObjectReader(body: [], isOptional: true).allow()
    #expect(throws: ServiceError.self) { try JSONObjectReader(body: [], isOptional: false) }
    #expect(throws: ServiceError.self) { try JSONObjectReader(body: Array("[]".utf8), isOptional: true) }
  }

  @Test(
    "meetings are written as the API's body and read back",
    arguments: [
      NewMeeting(
        title: "Kickoff", startDate: Timestamp(milliseconds: 1_775_646_000_000),
        endDate: Timestamp(milliseconds: 1_775_649_600_123)),
      NewMeeting(
        title: "ü", startDate: Timestamp(milliseconds: 0), endDate: Timestamp(milliseconds: 1),
        description: "d", meetingURL: "https://example.com", organizerEmail: "a@b", attendeeEmails: ["c@d"],
        privacySetting: .metadata, transcript: "fil_1", autoCreateRecords: false),
    ])
  func meetings(meeting: NewMeeting) throws {
    let data = try JSONEncoder().encode(meeting)
    #expect(try JSONDecoder().decode(NewMeeting.self, from: data) == meeting)
    #expect(try NewMeeting(JSONObjectReader(body: Array(data))) == meeting)
  }

  @Test("what is not set is not sent")
  func sparse() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let meeting = NewMeeting(
      title: "a", startDate: Timestamp(milliseconds: 0), endDate: Timestamp(milliseconds: 1), transcript: "f")
    #expect(
      String(decoding: try encoder.encode(meeting), as: UTF8.self)
        == #"{"fields":{"$endDate":"1970-01-01T00:00:00.001Z","$startDate":"1970-01-01T00:00:00.000Z","#
        + #""$title":"a"},"relationships":{"$transcript":"f"}}"#)
    #expect(String(decoding: try encoder.encode(MeetingChange()), as: UTF8.self) == "{}")
    #expect(
      String(
        decoding: try encoder.encode(MeetingChange(transcript: "f", privacySetting: .full)), as: UTF8.self)
        == #"{"fields":{"$privacySetting":"FULL"},"relationships":{"$transcript":{"replace":"f"}}}"#)
  }

  @Test("a meeting's body may say null, a time zone, and a list of one transcript")
  func forms() throws {
    let body = #"""
      {"fields":{"$title":"a","$startDate":"2026-04-08T13:00:00+02:00","$endDate":"2026-04-08T11:30:00Z",
      "$description":null,"$meetingUrl":null,"$organizerEmail":null,"$privacySetting":null},
      "relationships":{"$transcript":["fil_1"]},"autoCreateRecords":true}
      """#
    let meeting = try NewMeeting(JSONObjectReader(body: Array(body.utf8)))
    #expect(
      meeting
        == NewMeeting(
          title: "a", startDate: Timestamp(milliseconds: 1_775_646_000_000),
          endDate: Timestamp(milliseconds: 1_775_647_800_000), transcript: "fil_1", autoCreateRecords: true))
  }

  private static let fields =
    #""$title":"a","$startDate":"2026-04-08T11:00:00Z","$endDate":"2026-04-08T12:00:00Z""#

  @Test(
    "what is wrong with a meeting's body is named",
    arguments: [
      ("{}", "parameter_missing", "fields"), (#"{"fields":[]}"#, "invalid_type", "fields"),
      (#"{"fields":{}}"#, "parameter_missing", "fields.$title"),
      (
        #"{"fields":{"$title":"a","$startDate":"yesterday","$endDate":"x"}}"#, "invalid_value",
        "fields.$startDate"
      ),
      (
        #"{"fields":{"$title":"a","$startDate":"2026-04-08","$endDate":"x"}}"#, "invalid_value",
        "fields.$startDate"
      ),
      (#"{"fields":{"$title":null}}"#, "invalid_type", "fields.$title"),
      ("{\"fields\":{\(fields),\"title\":1}}", "unknown_field", "fields.title"),
      ("{\"fields\":{\(fields),\"$attendeeEmails\":\"a@b\"}}", "invalid_type", "fields.$attendeeEmails"),
      (
        "{\"fields\":{\(fields),\"$attendeeEmails\":[\"a@b\",2]}}", "invalid_type",
        "fields.$attendeeEmails[1]"
      ),
      ("{\"fields\":{\(fields),\"$privacySetting\":\"SECRET\"}}", "invalid_value", "fields.$privacySetting"),
      ("{\"fields\":{\(fields)},\"relationships\":{}}", "parameter_missing", "relationships.$transcript"),
      (
        "{\"fields\":{\(fields)},\"relationships\":{\"$transcript\":[]}}", "invalid_value",
        "relationships.$transcript"
      ),
      (
        "{\"fields\":{\(fields)},\"relationships\":{\"$owner\":\"a\"}}", "unknown_field",
        "relationships.$owner"
      ),
      ("{\"fields\":{\(fields)},\"more\":1}", "unknown_field", "more"),
      ("{\"fields\":{\(fields)},\"autoCreateRecords\":1}", "invalid_type", "autoCreateRecords"),
    ])
  func badMeetings(body: String, code: String, param: String) {
    let error = refusal(body) { body throws(ServiceError) in try NewMeeting(body) }
    #expect(
      error?.status == 400 && error?.code == code && error?.param == param, "\(String(describing: error))")
  }

  @Test("a change's body is read")
  func changes() throws {
    for change in [
      MeetingChange(), MeetingChange(transcript: "fil_1"),
      MeetingChange(transcript: "fil_1", privacySetting: .metadata),
    ] {
      let data = try JSONEncoder().encode(change)
      #expect(try MeetingChange(JSONObjectReader(body: Array(data))) == change)
    }
  }

  @Test(
    "what is wrong with a change's body is named",
    arguments: [
      (#"{"fields":{}}"#, "parameter_missing", "fields.$privacySetting"),
      (#"{"fields":{"$title":"a"}}"#, "unknown_field", "fields.$title"),
      (#"{"relationships":{"$transcript":"fil_1"}}"#, "invalid_type", "relationships.$transcript"),
      (#"{"relationships":{"$transcript":{}}}"#, "parameter_missing", "relationships.$transcript.replace"),
      (#"{"relationships":{"$transcript":{"add":"a"}}}"#, "unknown_field", "relationships.$transcript.add"),
    ])
  func badChanges(body: String, code: String, param: String) {
    let error = refusal(body) { body throws(ServiceError) in try MeetingChange(body) }
    #expect(error?.code == code && error?.param == param, "\(String(describing: error))")
  }
}
