import LuaHost
import LuaLibrary
import Scripting

/// What scripts ask for, and are trusted with, for people.
enum TrustText {
  /// What a person has to know to say yes or no.
  ///
  /// - Parameter wanted: what is granted by that, with paths as they really are.
  static func question(_ request: RecipeRequest, _ wanted: PermissionSet, changed: Bool) -> String {
    let modules = request.modules.map(escapingControls).joined(separator: ", ")
    var lines = ["\(request.script)\(modules.isEmpty ? "" : ", with its modules \(modules),") asks to"]
    lines += wanted.extents.keys.sorted().map { "  " + line($0, wanted[$0]) }
    if changed { lines.append("It was trusted before, in another version.") }
    return lines.joined(separator: "\n")
  }

  /// A script that is trusted, with what.
  static func entry(_ script: TrustedScript) -> String {
    (["\(escapingControls(script.script)) (\(script.trustedAt), \(script.fingerprint.prefix(12)))"]
      + script.permissions.wanted.lines.map { "  " + $0 }).joined(separator: "\n")
  }

  private static func line(_ kind: PermissionKind, _ extent: PermissionSet.Extent) -> String {
    let items = extent.items.sorted().map(escapingControls).joined(separator: ", ")
    let isAll = extent.everything
    return switch kind {
    case .read: isAll ? "read every file that you can read" : "read files in \(items)"
    case .write: isAll ? "change and remove every file that you can" : "change and remove files in \(items)"
    case .net: isAll ? "connect to every server" : "connect to \(items)"
    case .env:
      isAll ? "read your environment, but for the API key" : "read from your environment \(items)"
    case .run: isAll ? "run every program" : "run \(items)"
    case .service: isAll ? "call all of the service" : "call the service with \(items)"
    }
  }
}
