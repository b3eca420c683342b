import ArgumentParser
import LightfieldClient
import LuaLibrary
import Workspace

/// Which service a command talks to.
struct DestinationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The destination: local (the embedded service), lightfield, or one of the project's profiles.",
      discussion: "With an API key set it is lightfield, else local.", valueName: "name"))
  var profile: String?

  @Option(
    help: ArgumentHelp(
      "The service's address, instead of LIGHTFIELD_BASE_URL.",
      discussion:
        "Work that goes there belongs to the profile that is known for it, else to one named after it.",
      valueName: "url"))
  var service: String?

  @Option(
    help: ArgumentHelp(
      "A file that holds the API key, instead of LIGHTFIELD_API_KEY.", valueName: "file"),
    completion: .file())
  var apiKeyFile: String?

  @Option(
    help: ArgumentHelp(
      "At most so many calls a second, as in write=10,read=5,search=5; leaves room for others.",
      valueName: "category=calls"))
  var rate: [String] = []

  /// The rates that were asked for; nil for all that the service gives.
  func rates() throws(CommandFailure) -> RateShares? {
    if rate.isEmpty { return nil }
    do throws(InvalidRateShare) {
      return try RateShares(parsing: rate)
    } catch {
      throw CommandFailure(.usage, "--rate: \(error)")
    }
  }

  /// What was asked for, here and by the environment.
  func request(_ environment: [String: String], base: PathBase) throws(CommandFailure) -> ProfileRequest {
    func set(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    var request = ProfileRequest(name: profile, hasUsualKey: set(KeySource.standardVariable) != nil)
    if let service { request.service = try ServiceAddress(service, from: "--service") }
    // A flag overrules the variable, which then need not even be right.
    if service == nil, profile != ProfileCatalog.local, let url = set("LIGHTFIELD_BASE_URL") {
      request.usualService = try ServiceAddress(url, from: "LIGHTFIELD_BASE_URL")
    }
    request.keyFile = apiKeyFile.map { .file(base.absolute($0)) }
    return request
  }
}
