import ArgumentParser
import FileServer
import FileSessions
import FoundationEssentials
import Ingestion
import LocalService
import Logging
import ServiceLifecycle

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve the embedded service over HTTP, as Lightfield's API answers.",
    discussion: """
      Clients need a key: moontide keys create --name NAME. Standard output is the access log, a line of JSON for \
      each request; the first line tells where the server listens. Metrics are at /metrics, in Prometheus' text.

      Ctrl-C and SIGTERM finish what is under way, for 30 seconds at the most, and take nothing new.
      """)

  @OptionGroup var project: ProjectOptions

  @Option(help: ArgumentHelp("The address to listen on.", discussion: "0.0.0.0 for all of this machine's."))
  var host = "127.0.0.1"

  @Option(help: "The port; 0 for any that is free.")
  var port = 8787

  @Option(
    help: ArgumentHelp(
      "Requests a second of an organisation in each of write, read and search; off for no limit.",
      valueName: "n|off"))
  var rateLimit = RateLimitOption(rate: 25)

  @Option(
    name: .customLong("tls-cert"),
    help: ArgumentHelp("The certificate, and those that lead to a known one, in PEM.", valueName: "file"))
  var certificate: String?

  @Option(
    name: .customLong("tls-key"), help: ArgumentHelp("The certificate's key, in PEM.", valueName: "file"))
  var privateKey: String?

  @Option(
    help: ArgumentHelp(
      "Scheme and host under which clients see the server, where that is not what they call it by.",
      valueName: "url"))
  var publicURL: String?

  @Flag(help: "Print no access log.")
  var quiet = false

  func validate() throws {
    guard (0...65_535).contains(port) else { throw ValidationError("--port takes a number from 0 to 65535.") }
    guard (certificate == nil) == (privateKey == nil) else {
      throw ValidationError("--tls-cert and --tls-key go together.")
    }
    if let publicURL, !Self.isOrigin(publicURL) {
      throw ValidationError("--public-url takes a scheme and a host, such as https://files.example.")
    }
  }

  func run() async throws {
    let workspace = try project.openPlace()
    try workspace.makeStateDirectory()
    let directory = workspace.statePath + "/local"
    let quiet = quiet
    do {
      let store = try await LocalStore.open(directory)
      var surroundings = FileServerSurroundings()
      if !quiet { surroundings.record = { say($0.line) } }
      let server = try FileServer(store: store, configuration: settings, surroundings: surroundings) {
        address in
        if !quiet { say(JSONText.line(Listening(url: address.url))) }
        Self.note("Serving \(directory) at \(address.url) – Ctrl-C ends it.")
      }
      try await serve(server)
    } catch let error as LocalStoreError {
      throw CommandFailure(.service, error.message)
    } catch let error as FileServerError {
      throw CommandFailure(.usage, error.message)
    }
  }

  /// Serves until a signal asks for the end; a second Ctrl-C does not wait for what is under way.
  private func serve(_ server: FileServer) async throws {
    let group = ServiceGroup(
      configuration: .init(
        services: [server], logger: Logger(label: "moontide") { _ in SwiftLogNoOpLogHandler() }))
    let stop = StopSignal()
    stop.whenRequested { Task { await group.triggerGracefulShutdown() } }
    let interruption = Interruption(
      stop: stop,
      announce: { step in
        guard case .draining = step else { return }
        Self.note("Finishing the requests that are under way, for 30 seconds at the most.")
      })
    let outcome = await interruption.watching { () -> Result<Void, any Error> in
      do { return .success(try await group.run()) } catch { return .failure(error) }
    }
    if interruption.wasInterrupted { throw ExitStatus.interrupted }
    if stop.isRequested { return }
    try outcome.get()
  }

  private var settings: FileServerConfiguration {
    var settings = FileServerConfiguration()
    settings.host = host
    settings.port = port
    settings.rateLimit = rateLimit.rate
    settings.publicURL = publicURL.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    if let certificate, let privateKey {
      settings.tls = FileServerConfiguration.TLS(
        certificateChain: CurrentDirectory.absolute(certificate),
        privateKey: CurrentDirectory.absolute(privateKey))
    }
    return settings
  }

  private static func note(_ text: String) {
    complain(text, .notice)
  }

  private static func isOrigin(_ text: String) -> Bool {
    guard let url = URL(string: text), let host = url.host(), !host.isEmpty else { return false }
    return ["http", "https"].contains(url.scheme ?? "") && url.query() == nil && url.fragment() == nil
  }

  /// The first line of the access log.
  private struct Listening: Encodable {
    var event = "listening"
    var url: String
  }
}

/// A number of at least 1, or `off`.
struct RateLimitOption: ExpressibleByArgument {
  /// Nil for no limit.
  var rate: Int?

  init(rate: Int?) { self.rate = rate }

  init?(argument: String) {
    if argument == "off" {
      rate = nil
    } else if let number = Int(argument), (1...1_000_000).contains(number) {
      rate = number
    } else {
      return nil
    }
  }

  var defaultValueDescription: String { rate.map(String.init) ?? "off" }
}
