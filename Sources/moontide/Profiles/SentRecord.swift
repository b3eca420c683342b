import FoundationEssentials
import Workspace

/// Which remote services this project's work goes to: `.moontide/destinations.json`, by profile.
///
/// It is written before the first session is opened at a service, and nothing is ever taken out of it: a project
/// in it never goes over to the embedded service by itself, and a profile never to another service.
struct SentRecord: Hashable, Sendable {
  private struct Content: Codable {
    var version = 1
    var destinations: [String: String] = [:]
  }

  private(set) var addresses: [String: ServiceAddress] = [:]

  static func file(in statePath: String) -> StateFile { StateFile(path: statePath + "/destinations.json") }

  /// The project's record; empty where it has none.
  static func read(in workspace: Workspace) throws(CommandFailure) -> SentRecord {
    let file = file(in: workspace.statePath)
    guard let data = try file.read() else { return SentRecord() }
    return try SentRecord(data, path: file.path)
  }

  init() {}

  /// Reads the file's content; what cannot be understood is an error, since it says what must not be done.
  private init(_ content: Data, path: String) throws(CommandFailure) {
    guard let content = try? JSONDecoder().decode(Content.self, from: content), content.version == 1 else {
      throw CommandFailure(
        .usage,
        "\(path) cannot be understood. It says which services this project is set up for; restore it from a "
          + "backup, or write it anew, as in "
          + #"{ "version": 1, "destinations": { "lightfield": "\#(ServiceAddress.lightfield)" } }."#)
    }
    for (name, text) in content.destinations {
      addresses[name] = try ServiceAddress(text, from: "\(path): \(name)")
    }
  }

  /// Notes where the work of a profile goes, on the disk; refuses another place than before.
  static func note(_ profile: RemoteProfile, in statePath: String) throws(CommandFailure) {
    let file = file(in: statePath)
    try file.change { data throws(CommandFailure) in
      var record = SentRecord()
      if let data { record = try SentRecord(data, path: file.path) }
      try record.require(profile)
      guard record.addresses[profile.name] == nil else { return nil }
      record.addresses[profile.name] = profile.address
      let content = Content(destinations: record.addresses.mapValues(\.description))
      return Data((JSONText.pretty(content) + "\n").utf8)
    }
  }

  /// Throws when the profile stood for another service so far.
  func require(_ profile: RemoteProfile) throws(CommandFailure) {
    guard let before = addresses[profile.name], before != profile.address else { return }
    throw CommandFailure(
      .usage,
      "In this project the profile \(profile.name) stands for \(before), and it is to be \(profile.address) now. "
        + "What one service has does not count for another: give the new one a profile of "
        + "its own, or set the address back.")
  }
}
