import FileSessions
import FoundationEssentials
import LightfieldClient
import LocalService
import LuaLibrary
import Workspace

/// The service that a command talks to, and the profile that its work belongs to.
struct Destination: Sendable {
  /// What a command wants of it.
  enum Intent: Sendable {
    /// Ingests, or runs a script: work of the project.
    case work
    /// Records that it has files already, of which it is not asked.
    case adopt
    /// Sends files by hand.
    case send
    /// Looks at what is there, and makes nothing.
    case look
    /// Tells what work would do: makes nothing, and asks nobody.
    case plan
  }

  /// The profile's name, under which jobs are kept.
  let profile: String
  let service: any LightfieldService
  /// What the first line of a run says.
  let headline: String
  /// What no script may see.
  let withheld: Withheld
  /// Where it is, and with which key; nil for the embedded service, and where there is no key.
  let access: RemoteAccess?
  /// What calls of the service come to.
  let calls: CallLog
  private let client: LightfieldClient?

  /// Opens the destination, hands it to `body`, and closes it, however that ends.
  static func with<Value>(
    _ options: DestinationOptions, in workspace: Workspace, for intent: Intent,
    _ body: (Destination) async throws -> Value
  ) async throws -> Value {
    let destination = try await open(options, in: workspace, for: intent)
    do {
      let value = try await body(destination)
      await destination.client?.shutdown()
      return value
    } catch {
      await destination.client?.shutdown()
      throw error
    }
  }

  private static func open(
    _ options: DestinationOptions, in workspace: Workspace, for intent: Intent
  ) async throws(CommandFailure) -> Destination {
    let environment = LaunchEnvironment.variables
    let catalog = try ProfileCatalog.read(in: workspace)
    let record = try SentRecord.read(in: workspace)
    let request = try options.request(
      environment, base: PathBase(directory: CurrentDirectory.path, home: environment["HOME"]))
    let rates = try options.rates()
    let choice = try ProfileChoice(request, catalog: catalog, record: record)
    let withheld = Withheld(catalog, request.keyFile, environment)
    LaunchEnvironment.erase(withheld.variables)
    switch choice {
    case .local:
      guard rates == nil else {
        throw CommandFailure(
          .usage, "--rate is for a service on the network; the embedded one has no limits.")
      }
      return try await local(in: workspace, for: intent, withheld, hasKey: request.hasUsualKey)
    case .remote(let profile):
      return try await remote(
        profile, rates, in: workspace, for: intent, withheld, isNamed: request.name != nil)
    }
  }

  private static func local(
    in workspace: Workspace, for intent: Intent, _ withheld: Withheld, hasKey: Bool
  ) async throws(CommandFailure) -> Destination {
    let why = hasKey ? "" : " (no API key is set)"
    let headline = "profile local: the embedded service in \(workspace.statePath)/local\(why)"
    if intent == .plan {
      return Destination(
        profile: ProfileCatalog.local, service: PlannedService(clock: .system), headline: headline,
        withheld: withheld, access: nil, calls: CallLog(), client: nil)
    }
    // Looking makes nothing: a stray .moontide/ would make this directory a project.
    guard intent != .look || FileManager.default.fileExists(atPath: workspace.statePath) else {
      throw CommandFailure(
        .usage,
        "There is no project in \(workspace.rootPath): nothing has run here, and no --project was given. "
          + "For the files in Lightfield set LIGHTFIELD_API_KEY.")
    }
    try workspace.makeStateDirectory()
    do throws(LocalStoreError) {
      let store = try await LocalStore.open(
        workspace.statePath + "/local", sweeping: intent == .look ? .never : .whenAlone)
      let calls = CallLog()
      return Destination(
        profile: ProfileCatalog.local, service: NotedService(base: store.service(), calls: calls),
        headline: headline, withheld: withheld, access: nil, calls: calls, client: nil)
    } catch {
      throw CommandFailure(.service, error.message)
    }
  }

  private static func remote(
    _ profile: RemoteProfile, _ rates: RateShares?, in workspace: Workspace, for intent: Intent,
    _ withheld: Withheld, isNamed: Bool
  ) async throws(CommandFailure) -> Destination {
    if intent != .send, intent != .look, case .file(let path) = profile.key {
      try requireOutside(path, of: workspace)
    }
    let environment = LaunchEnvironment.variables
    let key = try await offload { () throws(CommandFailure) in
      try profile.key.read(environment) { complain($0, .warning) }
    }
    guard let key else {
      // What asks no service needs no key, where it is certain which one is meant: by hand, that of a unit is not there.
      guard isNamed, intent == .plan || intent == .adopt else { throw missingKey(of: profile) }
      LaunchEnvironment.erase(withheld.variables)
      try note(profile, in: workspace, for: intent)
      return Destination(
        profile: profile.name, service: KeylessService(why: missingKey(of: profile).message),
        headline: "profile \(profile.name): \(profile.address), no key here (\(profile.key.phrase))",
        withheld: withheld, access: nil, calls: CallLog(), client: nil)
    }
    KeyProtection.close()
    LaunchEnvironment.erase(withheld.variables, keys: [key.secret])
    let client: LightfieldClient
    let calls = CallLog()
    do throws(ServiceError) {
      var configuration = try LightfieldClient.Configuration(environment: environment)
      configuration.baseURL = profile.address.description
      configuration.userAgent = "moontide/" + Version.text
      configuration.note = { calls.note($0) }
      // The only client of the only service of this process: a run, its handlers and a command's calls share it.
      client = try LightfieldClient(
        key: key, configuration: configuration, pacer: Pacer(rates: rates ?? RateShares()))
    } catch {
      throw CommandFailure(.usage, error.message)
    }
    do throws(CommandFailure) {
      try note(profile, in: workspace, for: intent)
    } catch {
      await client.shutdown()
      throw error
    }
    let access = RemoteAccess(address: profile.address, keyHint: key.hint, keySource: profile.key)
    return Destination(
      profile: profile.name, service: client,
      headline: "profile \(profile.name): \(profile.address), key \(key.hint) (\(profile.key.phrase))",
      withheld: withheld.adding(key), access: access, calls: calls, client: client)
  }

  /// Notes that the project's work goes there, before anything can.
  private static func note(
    _ profile: RemoteProfile, in workspace: Workspace, for intent: Intent
  ) throws(CommandFailure) {
    switch intent {
    case .look, .plan: return
    case .send where !FileManager.default.fileExists(atPath: workspace.statePath):
      // A file that is sent by hand makes no project of the directory.
      return
    case .send, .work, .adopt:
      try workspace.makeStateDirectory()
      try SentRecord.note(profile, in: workspace.statePath)
    }
  }

  private static func missingKey(of profile: RemoteProfile) -> CommandFailure {
    let place =
      switch profile.key {
      case .variable(let name): "\(name) is not set"
      case .file(let path): "there is none in \(path)"
      case .credential(let name): "systemd handed over no credential \(name)"
      }
    return CommandFailure(
      .usage,
      "The profile \(profile.name) (\(profile.address)) has no API key: \(place). Set it, pass "
        + "--api-key-file FILE, or choose another destination with --profile NAME; local is the embedded service."
    )
  }

  private static func requireOutside(_ path: String, of workspace: Workspace) throws(CommandFailure) {
    guard (try? workspace.path(path)) != nil, !path.hasPrefix(workspace.statePath + "/") else { return }
    throw CommandFailure(
      .usage,
      "The key file \(path) lies in the project, where scripts read and recipes send; keep it elsewhere, or in "
        + "\(workspace.statePath).")
  }
}

/// Where a remote service is, and which key opens it, as people are told of it.
struct RemoteAccess: Hashable, Sendable {
  var address: ServiceAddress
  /// The last characters of the key: `…a1b2`.
  var keyHint: String
  var keySource: KeySource
}

/// The places of keys, of every profile: what no script may see, whatever it was granted.
struct Withheld: Sendable {
  /// Environment variables.
  private(set) var variables: Set<String> = [KeySource.standardVariable]
  /// Files and directories.
  private(set) var paths: [String] = []
  /// The keys themselves, so that a variable which holds one is known by it.
  private(set) var keys: [APIKey] = []

  init(_ catalog: ProfileCatalog, _ keyFile: KeySource?, _ environment: [String: String]) {
    paths += KeySource.credentials(environment).map { [$0] } ?? []
    paths += TrustStore(environment: environment).map { [$0.directory] } ?? []
    for source in catalog.entries.values.map(\.key) + (keyFile.map { [$0] } ?? []) {
      switch source {
      case .variable(let name): variables.insert(name)
      case .file(let path): paths.append(path)
      case .credential: break
      }
    }
  }

  /// The same, with a key that is in use.
  func adding(_ key: APIKey) -> Withheld {
    var result = self
    result.keys.append(key)
    return result
  }
}
