import ArgumentParser
import FileSessions
import Foundation

struct MeetingsList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List meetings, newest first.",
    discussion: "With --all --json each meeting is an object on a line of its own.")

  @OptionGroup var options: ServiceOptions

  @Flag(help: "Every meeting, page by page.")
  var all = false

  @Option(help: "How many meetings; a page has 25 at the most.")
  var limit: Int?

  @Option(help: "How many meetings to pass over first.")
  var offset: Int?

  func validate() throws {
    if all && (limit != nil || offset != nil) {
      throw ValidationError("--all gives every meeting; leave out --limit and --offset.")
    }
    if let limit, limit < 1 { throw ValidationError("--limit takes a number of at least 1.") }
    if let offset, offset < 0 { throw ValidationError("--offset takes a number of at least 0.") }
  }

  func run() async throws {
    try await options.with(.look) { [self] desk in
      if all {
        try await printAll(of: desk.service)
      } else {
        let list = try await desk.service.listMeetings(limit: limit, offset: offset)
        var table = MeetingsTable()
        let text = options.json ? JSONText.pretty(list) + "\n" : table.text(list, offset: offset ?? 0)
        try StandardStream.output.write(bytes: Array(text.utf8))
      }
    }
  }

  private func printAll(of service: some MeetingService) async throws {
    var table = MeetingsTable()
    var offset = 0
    var seen: Set<String> = []
    while true {
      let page = try await service.listMeetings(limit: FileServiceLimits.pageSize, offset: offset)
      if page.data.isEmpty { break }
      offset += page.data.count
      // Meetings that are recorded meanwhile push others onto the next page, where they would be met again.
      let new = page.data.filter { seen.insert($0.id).inserted }
      let text = options.json ? new.map { JSONText.line($0) + "\n" }.joined() : table.rows(new)
      try StandardStream.output.write(bytes: Array(text.utf8))
    }
    if !options.json, StandardStream.output.isTerminal { say(Format.count(seen.count, "meeting")) }
  }
}

struct MeetingsFind: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "find", abstract: "Find a meeting by its day, its title, or both.",
    discussion: """
      Case and white space of the title do not count. Of several meetings the one that began first is given with \
      --first; without it they are named, and the status is 1, as when there is none.
      """)

  @OptionGroup var options: ServiceOptions

  @Option(help: "Its whole title.")
  var title: String?

  @Option(
    help: ArgumentHelp("The day on which it began, such as 2026-04-08.", valueName: "day"),
    transform: { text in
      guard let day = CalendarDay(text) else {
        throw ValidationError("\(text) is no day; write it as in 2026-04-08.")
      }
      return day
    })
  var day: CalendarDay?

  @Option(
    help: ArgumentHelp("Where the day is a day, such as Europe/Berlin; else UTC.", valueName: "zone"),
    transform: { name in
      guard let zone = TimeZone(identifier: name) else {
        throw ValidationError("There is no time zone \(name); write it as in Europe/Berlin.")
      }
      return zone
    })
  var timeZone: TimeZone?

  @Flag(help: "Of several the one that began first.")
  var first = false

  func validate() throws {
    if title == nil && day == nil { throw ValidationError("Give --day, --title, or both.") }
  }

  func run() async throws {
    let query = MeetingQuery(title: title, day: day, timeZone: timeZone ?? .gmt)
    try await options.with(.look) { [first, json = options.json] desk in
      do {
        let finder = MeetingFinder(desk.service, clock: .system)
        guard let meeting = try await finder.find(query, first: first) else {
          throw CommandFailure(.filesFailed, "There is no meeting \(query.description.printable).")
        }
        MeetingsText.show(meeting, json: json)
      } catch let error as AmbiguousMeeting {
        throw CommandFailure(
          .filesFailed, "\(error.description.printable). Narrow it down, or take the first with --first.")
      }
    }
  }
}

struct MeetingsGet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Show one meeting.", aliases: ["retrieve"])

  @OptionGroup var options: ServiceOptions
  @OptionGroup var identity: MeetingIdentity

  func run() async throws {
    let id = try identity.value
    try await options.with(.look) { [json = options.json] desk in
      MeetingsText.show(try await desk.service.retrieveMeeting(id), json: json)
    }
  }
}
