import FoundationEssentials
import LuaLibrary
import Scripting
import Workspace

/// What the person at the keyboard lets scripts do: the flags of this call, and what was trusted before.
struct Authority: Sendable {
  let workspace: Workspace
  let grants = GrantFlags.current
  let environment = LaunchEnvironment.variables
  /// What no script may see.
  let withheld: Withheld
  /// Tells the person something.
  let note: @Sendable (String) -> Void

  /// What paths in a recipe's `permissions` are relative to.
  var base: PathBase { PathBase(directory: workspace.rootPath, home: environment["HOME"]) }

  /// Where trust is kept; nil where the environment names no place.
  var store: TrustStore? { TrustStore(environment: environment) }

  /// What a script may.
  ///
  /// - Parameter request: what a recipe asks for; nil where that is nothing, or not known yet.
  func permissions(
    of script: String, baseline: Permissions.Baseline = .recipe, asking request: RecipeRequest? = nil
  ) async -> Permissions {
    await offload {
      Permissions(
        script: script, baseline: baseline, declared: request?.declared ?? .none,
        trusted: request.flatMap { trusted(script, $0) }, grants: grants, project: base,
        withholding: withheld.paths, variables: withheld.variables)
    }
  }

  /// The environment variables that scripts may be given.
  var scriptEnvironment: ScriptEnvironment {
    ScriptEnvironment(environment, secrets: withheld.variables, keys: withheld.keys)
  }

  /// Warns of flags for scripts that are not there: a mistyped name would grant nothing in silence.
  func warnOfStrangers(among scripts: [String]) {
    let known = scripts.map(\.fileStem)
    for name in grants.scripts where !known.contains(name) {
      note(
        "warning: --allow-…=\(name):… grants something to a script \"\(name)\", but there is only "
          + known.map { "\"\($0)\"" }.joined(separator: ", "))
    }
  }

  /// What was granted by `moontide trust` to this very content. Blocks.
  private func trusted(_ script: String, _ request: RecipeRequest) -> PermissionDeclaration? {
    guard !request.declared.isEmpty, let store else { return nil }
    do throws(TrustError) {
      if store.isWithin(workspace.rootPath) {
        if FileManager.default.fileExists(atPath: store.path) { note("warning: " + insideProject(store)) }
        return nil
      }
      if let trusted = try store.trusted(request.fingerprint) { return trusted }
      let file = Self.file(script)
      if try store.all().contains(where: { $0.script == file }) {
        note(
          "\(request.script) is trusted in another version: it or one of its modules has changed since, so it is "
            + "granted nothing by that. `moontide trust \(script)` asks again.")
      }
    } catch {
      note("warning: no script is trusted: \(error)")
    }
    return nil
  }

  /// Why trust that is kept there counts for nothing.
  func insideProject(_ store: TrustStore) -> String {
    "\(store.path) lies inside of the project \(workspace.rootPath), which could have brought it along, so nothing "
      + "in it counts. Name a smaller project with --project, or another place with XDG_CONFIG_HOME."
  }

  /// The file of a script in words of the store: absolute, with links resolved. Blocks.
  static func file(_ script: String) -> String {
    ScriptSource.realPath(script) ?? CurrentDirectory.absolute(script)
  }
}
