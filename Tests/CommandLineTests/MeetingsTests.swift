import Foundation
import Testing

@Suite("moontide meetings")
struct MeetingsCommandTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private struct Meeting: Decodable {
    struct Field: Decodable {
      var value: String?
      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        value = try? container.decode(String.self, forKey: .value)
      }
      enum Key: CodingKey { case value }
    }
    struct Relationship: Decodable { var values: [String] }
    var id: String
    var objectType: String
    var fields: [String: Field]
    var relationships: [String: Relationship]
    var transcript: [String]? { relationships["$transcript"]?.values }
  }

  private func create(_ title: String, _ arguments: String...) async throws -> Meeting {
    let finished = try await Running(
      [
        "meetings", "create", "--title", title, "--start-date", "2026-04-08T11:00:00+02:00", "--end-date",
        "2026-04-08T10:00:00Z", "--json",
      ] + arguments, in: sandbox.root, environment: [:]
    ).finished()
    #expect(finished.status == 0, "\(finished)")
    return try JSONDecoder().decode(Meeting.self, from: Data(finished.output.utf8))
  }

  /// The id of a file that was sent.
  private func send(_ name: String) async throws -> String {
    try sandbox.write("WEBVTT\n\(name)\n", to: name)
    try await sandbox.moontide("files", "upload", name)
    return try #require(try await sandbox.files().first { $0.filename == name }).id
  }

  @Test("a meeting is recorded, shown, listed, found, and gets a transcript")
  func round() async throws {
    let file = try await send("a.vtt")
    let made = try await create("Kickoff", "--attendee-emails", "ada@example.com,bob@example.com")
    #expect(made.objectType == "meeting" && made.fields["$startDate"]?.value == "2026-04-08T09:00:00.000Z")
    #expect(made.transcript == [])
    let other = try await create("Other")
    let attached = try await sandbox.moontide("meetings", "attach", made.id, file)
    #expect(attached.status == 0 && attached.output.contains("transcript\t\(file)\n"))
    let shown = try await sandbox.moontide("meetings", "get", made.id).output
    #expect(shown.hasPrefix("id\t\(made.id)\ntitle\tKickoff\nstartDate\t2026-04-08T09:00:00.000Z\n"))
    #expect(shown.contains("attendeeEmails\tada@example.com, bob@example.com\n"))
    let lines = try await sandbox.moontide("meetings", "list").output.split(separator: "\n").map(String.init)
    #expect(lines.map { $0.split(separator: "\t").first.map(String.init) } == [other.id, made.id])
    #expect(lines.last == "\(made.id)\t2026-04-08T09:00:00.000Z\t2026-04-08T10:00:00.000Z\t\(file)\tKickoff")
    let all = try await sandbox.moontide("meetings", "list", "--all", "--json").output.split(separator: "\n")
    #expect(
      try all.map { try JSONDecoder().decode(Meeting.self, from: Data($0.utf8)).id } == [other.id, made.id])
    let found = try await sandbox.moontide("meetings", "find", "--title", "KICKOFF", "--day", "2026-04-08")
    #expect(found.status == 0 && found.output.hasPrefix("id\t\(made.id)\n"))
  }

  @Test("finding none, or several, is said; the first may be asked for")
  func finding() async throws {
    let first = try await create("Sync")
    _ = try await create("sync")
    let none = try await sandbox.moontide("meetings", "find", "--title", "Kickoff")
    #expect(none.status == 1 && none.errors.contains("There is no meeting \"Kickoff\""))
    let several = try await sandbox.moontide("meetings", "find", "--day", "2026-04-08")
    #expect(
      several.status == 1 && several.errors.contains("2 meetings match on 2026-04-08 (UTC): \(first.id)"))
    let taken = try await sandbox.moontide("meetings", "find", "--day", "2026-04-08", "--first")
    #expect(taken.status == 0 && taken.output.hasPrefix("id\t\(first.id)\n"))
    let elsewhere = try await sandbox.moontide(
      "meetings", "find", "--day", "2026-04-07", "--time-zone", "Pacific/Pago_Pago", "--first")
    #expect(elsewhere.output.hasPrefix("id\t\(first.id)\n"), "\(elsewhere)")
    #expect(try await sandbox.moontide("meetings", "find").status == 2)
    #expect(
      try await sandbox.moontide("meetings", "find", "--day", "2026-04-08", "--time-zone", "Mars/North")
        .status
        == 2)
  }

  @Test("what the service refuses is said in its words")
  func refusals() async throws {
    let made = try await create("Kickoff")
    let missing = try await sandbox.moontide("meetings", "attach", made.id, "fil_none")
    #expect(missing.status == 1 && missing.errors.contains("There is no file fil_none"))
    let future = try await sandbox.moontide(
      "meetings", "create", "--title", "a", "--start-date", "2999-01-01T00:00:00Z", "--end-date",
      "2999-01-01T01:00:00Z")
    #expect(future.status == 1 && future.errors.contains("fields.$startDate"))
    #expect(try await sandbox.moontide("meetings", "get", "mtg_none").status == 1)
  }

  @Test("the transcripts recipe attaches what it sends to the meeting of its name, and asks for permission")
  func recipe() async throws {
    let recipe = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../scripts/recipes/transcripts.lua").standardizedFileURL
    try sandbox.write(Data(contentsOf: recipe), to: "transcripts.lua")
    let made = try await create("Weekly sync")
    try sandbox.write("WEBVTT\n\nhello\n", to: "recordings/2026-04-08 Weekly sync.vtt")
    try sandbox.write("WEBVTT\n\nother\n", to: "recordings/2026-04-09 Nobody knows.vtt")
    let denied = try await sandbox.moontide("run", "transcripts.lua")
    #expect(denied.status == 1 && denied.output.contains("--allow-service=meetings:read"), "\(denied)")
    let run = try await sandbox.moontide(
      "run", "--allow-service=meetings:read,meetings:update", "transcripts.lua")
    #expect(run.status == 0, "\(run)")
    #expect(
      sandbox.has("archive/2026-04-08 Weekly sync.vtt")
        && sandbox.has("unmatched/2026-04-09 Nobody knows.vtt"))
    let files = try await sandbox.files()
    #expect(files.count == 2)
    let text = try await sandbox.moontide("meetings", "get", made.id, "--json").output
    let meeting = try JSONDecoder().decode(Meeting.self, from: Data(text.utf8))
    #expect(meeting.transcript == files.filter { $0.filename.contains("Weekly") }.map(\.id))
  }
}
