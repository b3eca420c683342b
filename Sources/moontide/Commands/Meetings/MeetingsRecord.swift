import ArgumentParser
import FileSessions

struct MeetingsCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Record a meeting that took place.",
    discussion: "Times are ISO 8601 with a time zone, as in 2026-04-08T11:00:00+02:00.")

  @OptionGroup var options: ServiceOptions

  @Option(help: "What it was called.")
  var title: String

  @Option(help: ArgumentHelp("When it began.", valueName: "time"))
  var startDate: MomentOption

  @Option(help: ArgumentHelp("When it ended.", valueName: "time"))
  var endDate: MomentOption

  @Option(help: "What it was about.")
  var description: String?

  @Option(help: ArgumentHelp("Where it took place.", valueName: "url"))
  var meetingUrl: String?

  @Option(help: ArgumentHelp("Who held it.", valueName: "address"))
  var organizerEmail: String?

  @Option(
    name: .customLong("attendee-emails"),
    help: ArgumentHelp(
      "Who was there, parted by commas. May be given again.", valueName: "addresses"))
  var attendeeEmails: [String] = []

  @Option(help: "FULL or METADATA.")
  var privacySetting: Meeting.Privacy?

  @Option(help: ArgumentHelp("The completed file that is its transcript.", valueName: "file-id"))
  var transcript: String?

  func run() async throws {
    let meeting = NewMeeting(
      title: title, startDate: startDate.moment, endDate: endDate.moment, description: description,
      meetingURL: meetingUrl, organizerEmail: organizerEmail,
      attendeeEmails: attendeeEmails.flatMap { $0.split { ", ".contains($0) }.map(String.init) },
      privacySetting: privacySetting, transcript: transcript)
    try await options.with(.send) { [json = options.json] desk in
      MeetingsText.show(try await desk.service.createMeeting(meeting, key: Bench.newKey()), json: json)
    }
  }
}

struct MeetingsAttach: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attach", abstract: "Make a completed file the transcript of a meeting.",
    discussion: "It takes the place of the transcript that the meeting has.")

  @OptionGroup var options: ServiceOptions

  @Argument(help: "The meeting's id, mtg_…")
  var meeting: String

  @Argument(help: "The file's id, fil_…")
  var file: String

  func run() async throws {
    let change = MeetingChange(transcript: file)
    try await options.with(.send) { [meeting, json = options.json] desk in
      MeetingsText.show(
        try await desk.service.updateMeeting(meeting, change, key: Bench.newKey()), json: json)
    }
  }
}
