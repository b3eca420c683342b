import ArgumentParser
import FileSessions

struct Meetings: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at meetings, record them, and attach transcripts to them.",
    discussion: """
      The same against Lightfield and the embedded service. On a terminal the output is a table, elsewhere lines \
      with tabs; --json prints the API's own objects.
      """,
    subcommands: [
      MeetingsList.self, MeetingsFind.self, MeetingsGet.self, MeetingsCreate.self, MeetingsAttach.self,
    ])
}

/// A meeting's id, bare or as `--id`.
struct MeetingIdentity: ParsableArguments {
  @Argument(help: "The meeting's id, mtg_…")
  var identity: String?

  @Option(name: .customLong("id"), help: "The same, as an option.")
  var option: String?

  /// The id that was given.
  var value: String {
    get throws {
      guard let id = option ?? identity, option == nil || identity == nil || option == identity else {
        throw ValidationError("Name one meeting: moontide meetings get mtg_…")
      }
      return id
    }
  }

  func validate() throws {
    _ = try value
  }
}

/// A time of the command line, in ISO 8601 with a time zone.
struct MomentOption: ExpressibleByArgument {
  var moment: Timestamp

  init?(argument: String) {
    guard let moment = Timestamp(argument) else { return nil }
    self.moment = moment
  }
}

extension Meeting.Privacy: ExpressibleByArgument {}
