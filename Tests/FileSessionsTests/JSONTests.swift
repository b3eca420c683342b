import FileSessions
import Foundation
import Testing

@Suite("JSON as the contract has it")
struct JSONTests {
  private func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
    try JSONDecoder().decode(type, from: Data(text.utf8))
  }

  private let pending = FileSession(
    id: "fil_1", filename: "a b.txt", mimeType: "text/plain", sizeBytes: 29, status: .pending,
    createdAt: Timestamp(milliseconds: 1_775_646_000_000),
    expiresAt: Timestamp(milliseconds: 1_775_649_600_000), completedAt: nil)

  @Test("a session has all its keys, null where there is no value")
  func session() throws {
    #expect(
      try json(pending)
        == #"{"completedAt":null,"createdAt":"2026-04-08T11:00:00.000Z","#
        + #""expiresAt":"2026-04-08T12:00:00.000Z","filename":"a b.txt","id":"fil_1","#
        + #""mimeType":"text/plain","sizeBytes":29,"status":"PENDING"}"#)
    var completed = pending
    completed.status = .completed
    completed.expiresAt = nil
    completed.completedAt = Timestamp(milliseconds: 1_775_646_000_042)
    #expect(
      try json(completed)
        == #"{"completedAt":"2026-04-08T11:00:00.042Z","createdAt":"2026-04-08T11:00:00.000Z","#
        + #""expiresAt":null,"filename":"a b.txt","id":"fil_1","mimeType":"text/plain","#
        + #""sizeBytes":29,"status":"COMPLETED"}"#)
  }

  @Test("a session reads back as it was written, and without the keys that are null")
  func sessionRoundTrip() throws {
    #expect(try decode(FileSession.self, json(pending)) == pending)
    let short =
      #"{"createdAt":"2026-04-08T11:00:00.000Z","filename":"a b.txt","id":"fil_1","mimeType":"text/plain","#
      + #""sizeBytes":29,"status":"CANCELLED","somethingNew":1}"#
    let session = try decode(FileSession.self, short)
    #expect(session.status == .cancelled)
    #expect(session.expiresAt == nil && session.completedAt == nil)
  }

  @Test("an unknown status is an error and not a guess")
  func unknownStatus() throws {
    let text = try json(pending).replacing("PENDING", with: "ARCHIVED")
    #expect(throws: DecodingError.self) { try decode(FileSession.self, text) }
  }

  @Test("a list names its object and its total count")
  func list() throws {
    let empty = FileList(data: [], totalCount: 40)
    #expect(try json(empty) == #"{"data":[],"object":"list","totalCount":40}"#)
    let list = FileList(data: [pending], totalCount: 1)
    #expect(try decode(FileList.self, json(list)) == list)
  }

  @Test("a new file leaves out a purpose that it does not have, and keeps one that nobody knows")
  func newFile() throws {
    var file = NewFile(filename: "a", mimeType: "b/c", sizeBytes: 1)
    #expect(try json(file) == #"{"filename":"a","mimeType":"b/c","sizeBytes":1}"#)
    file.purpose = Purpose(rawValue: "of_tomorrow")
    #expect(try json(file) == #"{"filename":"a","mimeType":"b/c","purpose":"of_tomorrow","sizeBytes":1}"#)
    #expect(try decode(NewFile.self, json(file)) == file)
  }

  @Test("an error is written wrapped, and read wrapped and bare")
  func errors() throws {
    let error = ServiceError.invalid("filename", code: .parameterMissing, "The filename is missing.")
    let detail =
      #"{"code":"parameter_missing","message":"The filename is missing.","param":"filename","type":"bad_request"}"#
    #expect(try json(ErrorBody(error)) == #"{"error":"# + detail + "}")
    let short = try json(ErrorBody(ServiceError(.notFound, "There is none.")))
    #expect(short == #"{"error":{"message":"There is none.","type":"not_found"}}"#)
    let wrapped = try decode(ErrorBody.self, #"{"error":"# + detail + "}")
    let bare = try decode(ErrorBody.self, detail)
    #expect(wrapped == bare)
    #expect(bare.error.param == "filename")
    #expect(throws: DecodingError.self) { try decode(ErrorBody.self, #"{"error":"out of order"}"#) }
  }

  @Test("only 32 lower-case hexadecimal digits are an md5")
  func md5() {
    let digits = "0123456789abcdef0123456789abcdef"
    #expect(MD5Digest(hex: digits)?.hex == digits)
    #expect(MD5Digest(bytes: (0..<16).map { _ in UInt8(0xA5) }).hex == String(repeating: "a5", count: 16))
    for wrong in [digits.uppercased(), String(digits.dropLast()), digits + "0", "g" + digits.dropFirst(), ""]
    {
      #expect(MD5Digest(hex: wrong) == nil)
    }
  }
}

@Suite("Moments")
struct TimestampTests {
  @Test("any millisecond from 1900 to 2200 is read back from its text")
  func roundTrip() {
    var generator = SeededGenerator(seed: 42)
    for _ in 0..<2000 {
      let moment = Timestamp(
        milliseconds: Int64.random(in: -2_208_988_800_000...7_258_118_400_000, using: &generator))
      #expect(Timestamp(moment.description) == moment, "\(moment.milliseconds)")
      #expect(moment.description.utf8.count == 24)
    }
  }

  @Test(
    "what the API and other services write is read",
    arguments: [
      ("2026-04-08T11:00:00.000Z", 1_775_646_000_000),
      ("2026-04-08T11:00:00Z", 1_775_646_000_000),
      ("2026-04-08T11:00:00.5Z", 1_775_646_000_500),
      ("2026-04-08T11:00:00.123456789Z", 1_775_646_000_123),
      ("2026-04-08T13:00:00.250+02:00", 1_775_646_000_250),
      ("1970-01-01T00:00:00.001Z", 1),
      ("1969-12-31T23:59:59.999Z", -1),
    ] as [(String, Int64)])
  func reading(text: String, milliseconds: Int64) {
    #expect(Timestamp(text)?.milliseconds == milliseconds)
  }

  @Test(
    "what is not a time with a zone is refused",
    arguments: ["", "tomorrow", "2026-04-08", "2026-04-08T11:00:00.Z", "2026-13-08T11:00:00Z", "1775646000"])
  func refusing(text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test("durations are added in whole milliseconds")
  func arithmetic() {
    let moment = Timestamp(milliseconds: 1000)
    #expect((moment + .seconds(3600)).milliseconds == 3_601_000)
    #expect((moment + .microseconds(1999)).milliseconds == 1001)
    #expect(moment - Timestamp(milliseconds: 1500) == .milliseconds(-500))
  }
}

/// SplitMix64: the same numbers from the same seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
