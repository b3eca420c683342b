import ArgumentParser
import FileSessions
import FoundationEssentials
import LocalService

struct Keys: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The API keys of the local service, which moontide serve takes.",
    discussion: """
      Changes hold at once, also for a server that is running. Keys of Lightfield are made in Lightfield.
      """,
    subcommands: [KeysCreate.self, KeysList.self, KeysRevoke.self])
}

/// What every keys command takes.
struct KeysOptions: ParsableArguments {
  @OptionGroup var project: ProjectOptions

  @Flag(help: "Print JSON.")
  var json = false

  /// Opens the project's store for `body`, and tells what it says in words.
  ///
  /// - Parameter making: whether the store is made when it is not there.
  func with(making: Bool, _ body: (LocalStore) async throws -> Void) async throws {
    let workspace = try project.openPlace()
    let directory = workspace.statePath + "/local"
    if making {
      try workspace.makeStateDirectory()
    } else if !FileManager.default.fileExists(atPath: directory) {
      throw CommandFailure(
        .usage, "There is no local service in \(workspace.statePath), and so there are no keys.")
    }
    do {
      try await body(try await LocalStore.open(directory, sweeping: .never))
    } catch let error as LocalStoreError {
      throw CommandFailure(.service, error.message)
    } catch let error as ServiceError {
      throw CommandFailure(error.kind.concernsService ? .service : .usage, error.message.printable)
    }
  }
}

struct KeysCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a key. It is shown this once.",
    discussion: """
      Standard output is the key and nothing else, so that a script can keep it: \
      LIGHTFIELD_API_KEY=$(moontide keys create --name ci).
      """)

  /// Whom a key stands for.
  enum Kind: String, EnumerableFlag {
    case user, workspace

    static func help(for value: Kind) -> ArgumentHelp? {
      switch value {
      case .user: "It stands for a person of the organisation, who has an uploads area."
      case .workspace: "It stands for the organisation itself."
      }
    }
  }

  @OptionGroup var options: KeysOptions

  @Option(help: "What to call it; no two valid keys share a name.")
  var name: String

  @Option(
    name: [.customLong("org"), .customLong("organisation")],
    help: ArgumentHelp("The organisation whose files and meetings it opens.", valueName: "name"))
  var organisation = Caller.local.organisation

  @Option(
    help: ArgumentHelp(
      "What it may do, parted by commas; without it everything.",
      discussion: "Scopes: \(Scope.known.map(\.rawValue).joined(separator: ", ")).", valueName: "scopes"))
  var scope: [String] = []

  @Flag(help: "It may do what takes an admin of the organisation.")
  var admin = false

  @Flag(exclusivity: .exclusive)
  var kind = Kind.user

  func run() async throws {
    try await options.with(making: true) { [self] store in
      let scopes = try scope.isEmpty ? [] : Scope.parse(scope.joined(separator: ","))
      let (key, record) = try await store.createKey(
        name: name, organisation: organisation,
        subject: kind == .workspace ? .workspace : Caller.local.subject, isAdmin: admin, scopes: scopes)
      if options.json {
        say(JSONText.pretty(KeyJSON(record, key: key)))
      } else {
        say(key.secret)
        StandardStream.error.write(
          "Keep it now: it is not shown again. \(KeysText.line(record))\n")
      }
    }
  }
}

struct KeysList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List keys, oldest first, the revoked ones too.")

  @OptionGroup var options: KeysOptions

  func run() async throws {
    try await options.with(making: false) { [json = options.json] store in
      let keys = try await store.keys()
      if json {
        say(JSONText.pretty(KeyList(data: keys.map { KeyJSON($0) }, totalCount: keys.count)))
      } else {
        StandardStream.output.write(KeysText.table(keys))
      }
    }
  }

  private struct KeyList: Encodable {
    var data: [KeyJSON]
    var object = "list"
    var totalCount: Int
  }
}

struct KeysRevoke: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "End a key, at once and for good.")

  @OptionGroup var options: KeysOptions

  @Argument(help: "Its name or its id, key_…")
  var key: String

  func run() async throws {
    try await options.with(making: false) { [key, json = options.json] store in
      let record = try await store.revokeKey(key)
      say(json ? JSONText.pretty(KeyJSON(record)) : "revoked \(KeysText.line(record))")
    }
  }
}
