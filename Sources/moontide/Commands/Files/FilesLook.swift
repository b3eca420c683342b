import ArgumentParser
import FileSessions

struct FilesGet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Show one file.", aliases: ["retrieve"])

  @OptionGroup var options: ServiceOptions
  @OptionGroup var identity: FileIdentity

  func run() async throws {
    let id = try identity.value
    try await options.with(.look) { [json = options.json] desk in
      FilesText.show(try await desk.service.retrieve(id), json: json)
    }
  }
}

struct FilesURL: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "url", abstract: "Print an address from which a completed file can be fetched for a while.")

  @OptionGroup var options: ServiceOptions
  @OptionGroup var identity: FileIdentity

  func run() async throws {
    let id = try identity.value
    try await options.with(.look) { [json = options.json] desk in
      let place = try await desk.service.url(id)
      StandardStream.output.write(json ? JSONText.pretty(place) + "\n" : FilesText.details(place))
    }
  }
}

struct FilesList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List files, newest first.",
    discussion: "With --all --json each file is an object on a line of its own.")

  @OptionGroup var options: ServiceOptions

  @Flag(help: "Every file, page by page.")
  var all = false

  @Option(help: "How many files; a page has 25 at the most.")
  var limit: Int?

  @Option(help: "How many files to pass over first.")
  var offset: Int?

  func validate() throws {
    if all && (limit != nil || offset != nil) {
      throw ValidationError("--all gives every file; leave out --limit and --offset.")
    }
    if let limit, limit < 1 { throw ValidationError("--limit takes a number of at least 1.") }
    if let offset, offset < 0 { throw ValidationError("--offset takes a number of at least 0.") }
  }

  func run() async throws {
    try await options.with(.look) { [self] desk in
      if all {
        try await printAll(of: desk.service)
      } else {
        let list = try await desk.service.list(limit: limit, offset: offset)
        var table = FilesTable()
        let text = options.json ? JSONText.pretty(list) + "\n" : table.text(list, offset: offset ?? 0)
        try StandardStream.output.write(bytes: Array(text.utf8))
      }
    }
  }

  private func printAll(of service: some FileService) async throws {
    var table = FilesTable()
    var offset = 0
    var seen: Set<String> = []
    while true {
      let page = try await service.list(limit: FileServiceLimits.pageSize, offset: offset)
      if page.data.isEmpty { break }
      offset += page.data.count
      // Files that arrive meanwhile push others onto the next page, where they would be met again.
      let new = page.data.filter { seen.insert($0.id).inserted }
      let text = options.json ? new.map { JSONText.line($0) + "\n" }.joined() : table.rows(new)
      try StandardStream.output.write(bytes: Array(text.utf8))
    }
    if !options.json, StandardStream.output.isTerminal { say(Format.count(seen.count, "file")) }
  }
}
