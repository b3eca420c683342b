import FileSessions
import FoundationEssentials
import LocalService
import Workspace

/// The service that a command talks to, and the profile that its work belongs to.
struct Destination: Sendable {
  /// The profile's name, under which jobs are kept.
  let profile: String
  let service: any LightfieldService
  /// What the first line of a run says.
  let headline: String

  /// Opens the embedded service of a project.
  ///
  /// With an API key set the user means Lightfield, which this version cannot reach: that is said, instead of
  /// sending to the local service in silence.
  static func open(
    in workspace: Workspace, profile: String?, sweeping: LocalStore.Sweeping
  ) async throws(CommandFailure) -> Destination {
    let hasKey = !(ProcessInfo.processInfo.environment["LIGHTFIELD_API_KEY"] ?? "").isEmpty
    guard profile == "local" || (profile == nil && !hasKey) else {
      throw CommandFailure(
        .usage,
        profile.map { "There is no profile \"\($0)\". This version has one: local." }
          ?? "LIGHTFIELD_API_KEY is set, but this version only has the embedded service. "
          + "Unset it, or pass --profile local.")
    }
    try workspace.makeStateDirectory()
    do throws(LocalStoreError) {
      let store = try await LocalStore.open(workspace.statePath + "/local", sweeping: sweeping)
      let why = hasKey ? "" : " (no API key is set)"
      return Destination(
        profile: "local", service: store.service(),
        headline: "profile local: the embedded service in \(workspace.statePath)/local\(why)")
    } catch {
      throw CommandFailure(.service, error.message)
    }
  }
}
