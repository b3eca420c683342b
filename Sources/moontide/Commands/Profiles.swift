import ArgumentParser
import FoundationEssentials
import LuaLibrary

struct Profiles: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The destinations that this project knows.",
    discussion: """
      Kept in .moontide/profiles.json: where a service is, and where its key comes from; never the key. Work \
      belongs to its profile: what one service was sent does not count for another.
      """,
    subcommands: [ProfilesList.self, ProfilesAdd.self, ProfilesRemove.self])
}

struct ProfilesList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the profiles.")

  @OptionGroup var options: ProjectOptions

  @Flag(help: "Print JSON.")
  var json = false

  private struct Row: Encodable {
    var name: String
    var baseURL: String?
    var key: String?
    /// Whether this project has worked with it.
    var used: Bool

    enum CodingKeys: String, CodingKey {
      case name, key, used
      case baseURL = "base_url"
    }
  }

  func run() async throws {
    let workspace = try options.openPlace()
    let catalog = try ProfileCatalog.read(in: workspace)
    let record = try SentRecord.read(in: workspace)
    let standard = KeySource.variable(KeySource.standardVariable)
    var rows = [
      Row(
        name: ProfileCatalog.local,
        used: FileManager.default.fileExists(atPath: workspace.statePath + "/local"))
    ]
    let names = Set(catalog.entries.keys).union(record.addresses.keys).union([ProfileCatalog.lightfield])
    for name in names.sorted() {
      let entry = catalog.entries[name]
      let address = entry?.address ?? record.addresses[name] ?? .lightfield
      rows.append(
        Row(
          name: name, baseURL: address.description, key: (entry?.key ?? standard).phrase,
          used: record.addresses[name] != nil))
    }
    if json { return say(JSONText.pretty(rows)) }
    let cells = rows.map {
      [$0.name, $0.baseURL ?? "the embedded service", $0.key ?? "-", $0.used ? "used here" : "-"]
    }
    guard StandardStream.output.isTerminal else {
      for row in cells { say(row.joined(separator: "\t")) }
      return
    }
    var columns = Columns()
    StandardStream.output.write(columns.text([["PROFILE", "SERVICE", "KEY FROM", ""]] + cells))
  }
}

struct ProfilesAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Add a profile, or change one.",
    discussion: "The key itself is never given here, only where it comes from.")

  @OptionGroup var options: ProjectOptions

  @Argument(help: "The profile's name.")
  var name: String

  @Option(help: ArgumentHelp("The service's address.", valueName: "url"))
  var service: String?

  @Option(help: ArgumentHelp("The key is in this environment variable.", valueName: "name"))
  var keyEnv: String?

  @Option(help: ArgumentHelp("The key is in this file.", valueName: "file"), completion: .file())
  var keyFile: String?

  @Option(help: ArgumentHelp("The key is this systemd credential.", valueName: "name"))
  var keyCredential: String?

  @Flag(
    help:
      "Add it also where the service is another profile's already: all that was sent is sent a second time.")
  var yes = false

  func validate() throws {
    if let problem = ProfileCatalog.problem(ofName: name) { throw ValidationError("\(name): \(problem).") }
    guard [keyEnv, keyFile, keyCredential].compactMap({ $0 }).count == 1 else {
      throw ValidationError("Say where the key comes from: one of --key-env, --key-file, --key-credential.")
    }
    guard service != nil || name == ProfileCatalog.lightfield else {
      throw ValidationError("Say where it is: --service URL.")
    }
  }

  func run() async throws {
    let workspace = try options.openPlace()
    let base = PathBase(directory: CurrentDirectory.path, home: LaunchEnvironment.variables["HOME"])
    let key =
      keyEnv.map(KeySource.variable) ?? keyFile.map { .file(base.absolute($0)) }
      ?? .credential(keyCredential ?? "")
    if let problem = ProfileCatalog.problem(of: key) { throw CommandFailure(.usage, "\(problem).") }
    let address =
      try service.map { text throws(CommandFailure) in
        try ServiceAddress(text, from: "--service")
      } ?? .lightfield
    guard name != ProfileCatalog.lightfield || address == .lightfield else {
      throw CommandFailure(
        .usage, "lightfield is always \(ServiceAddress.lightfield); give the other service a name of its own."
      )
    }
    let record = try SentRecord.read(in: workspace)
    try record.require(RemoteProfile(name: name, address: address, key: key))
    if !yes { try requireNewService(address, record) }
    try workspace.makeStateDirectory()
    try ProfileCatalog.change(in: workspace) { catalog in
      catalog.entries[name] = ProfileCatalog.Entry(address: address, key: key)
    }
    say("\(name): \(address), key from \(key.phrase)")
  }

  /// Refuses a second name for a service that was sent to, under which all of it would be new.
  private func requireNewService(_ address: ServiceAddress, _ record: SentRecord) throws(CommandFailure) {
    let others = record.addresses.filter { $0.value == address }.keys.sorted()
    guard let other = others.first, record.addresses[name] == nil else { return }
    throw CommandFailure(
      .usage,
      "\(address) is the profile \(others.joined(separator: " and ")) already, with which this project has worked. "
        + "What was sent does not count for another profile: with \(name) all of it would be sent a second time. Go on "
        + "with --profile \(other), or say --yes if that is what is wanted.")
  }
}

struct ProfilesRemove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove a profile; what was sent under it stays recorded.")

  @OptionGroup var options: ProjectOptions

  @Argument(help: "The profile's name.")
  var name: String

  func run() async throws {
    let workspace = try options.openPlace()
    guard try ProfileCatalog.read(in: workspace).entries[name] != nil else {
      throw CommandFailure(
        .usage, "\(ProfileCatalog.file(in: workspace.statePath).path) has no profile \"\(name)\".")
    }
    try ProfileCatalog.change(in: workspace) { $0.entries[name] = nil }
  }
}
