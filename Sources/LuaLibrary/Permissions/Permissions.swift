import Workspace

/// What one script may do, and the one place where that is decided.
///
/// Denied by default: what is neither in the baseline, nor granted by a flag, nor trusted, is an error that
/// says which flag would permit it. Values only; whoever acts resolves paths first.
package struct Permissions: Hashable, Sendable {
  /// What a script may without any grant.
  package enum Baseline: Hashable, Sendable {
    /// Reading and writing below the project. Sessions of a handler's own job are not asked about here.
    case recipe
    /// A plain script: as a recipe; with `local`, where the service is the embedded one and what is sent
    /// leaves no trace outside of this machine, all scopes of the service too.
    case plainScript(local: Bool)
    /// Nothing at all.
    case nothing
  }

  /// The API key's variable, which no script ever reads.
  package static let keyVariables: Set<String> = ["LIGHTFIELD_API_KEY"]

  /// Places that tell of processes, their environment among it, or that are devices.
  private static let systemPlaces = ["/proc", "/sys", "/dev"]

  private let baseline: Baseline
  private let script: String
  private let declared: PermissionSet
  private let granted: PermissionSet
  private let withheldPaths: [String]
  private let withheldVariables: Set<String>

  /// Puts together what a script may. Resolves paths, so it blocks.
  ///
  /// - Parameters:
  ///   - script: the script's file as it was given on the command line, for `moontide trust`; its name
  ///     without directory and extension is what flags for one script call it.
  ///   - declared: what the script asks for.
  ///   - trusted: what was granted to this very content by `moontide trust`, with paths resolved then; they are
  ///     not resolved again, since whoever changes a link would change what is granted. Nil when nothing was.
  ///   - grants: the flags.
  ///   - project: what relative paths in the declaration are relative to.
  ///   - withholding: files and directories that no grant opens: where trust and keys are kept.
  ///   - variables: environment variables that no grant opens.
  package init(
    script: String, baseline: Baseline = .recipe, declared: PermissionDeclaration = .none,
    trusted: PermissionDeclaration? = nil, grants: PermissionGrants = .none, project: PathBase,
    withholding: [String] = [], variables: Set<String> = []
  ) {
    self.baseline = baseline
    self.script = script
    self.declared = declared.wanted.resolved(project)
    var granted = grants.granted(to: PathText.splitName(script).stem)
    if let trusted { granted.formUnion(trusted.wanted) }
    self.granted = granted
    withheldPaths = Self.systemPlaces + withholding.map { RealPath.resolve(project.absolute($0)) }
    withheldVariables = Self.keyVariables.union(variables)
  }

  private init(_ baseline: Baseline) {
    self.init(script: "", baseline: baseline, project: PathBase(directory: "/"))
  }

  /// What a recipe may that was granted nothing.
  package static let recipe = Permissions(.recipe)

  /// Reading and writing below the project, and all of the service.
  package static let project = Permissions(.plainScript(local: true))

  /// Nothing at all.
  package static let none = Permissions(.nothing)

  /// For reading what a recipe asks for: variables of the environment, which has to be a blank one.
  package static let loading: Permissions = {
    var grants = PermissionGrants()
    grants.allowAll(.env)
    return Permissions(script: "", baseline: .nothing, grants: grants, project: PathBase(directory: "/"))
  }()

  /// What is granted on top of what every script may, a line a kind; the same lines for the same grants.
  package var grants: [String] { granted.lines }

  /// Why an access is denied; nil when it is permitted.
  package func denial(of access: Access) -> PermissionError.Reason? {
    if let why = never(access) { return .never(why) }
    if isInBaseline(access) || granted.covers(access) { return nil }
    return declared.covers(access) ? .declaredOnly : .notGranted
  }

  /// Passes, or throws what the script is to be told.
  ///
  /// - Parameter function: who asks, as scripts know it: `moontide.fs.read`.
  package func check(_ access: Access, by function: String) throws(PermissionError) {
    guard let reason = denial(of: access) else { return }
    throw error(access, by: function, reason)
  }

  func error(_ access: Access, by function: String, _ reason: PermissionError.Reason) -> PermissionError {
    PermissionError(access: access, function: function, reason: reason, script: script)
  }

  /// Whether anything outside of the project may be used this way.
  func reachesOutside(_ kind: PermissionKind) -> Bool { !granted[kind].isEmpty }

  private func isInBaseline(_ access: Access) -> Bool {
    switch (baseline, access) {
    case (.nothing, _): false
    case (_, .read), (_, .write): true
    case (.plainScript(local: true), .service): true
    default: false
    }
  }

  /// What no flag permits, and why.
  private func never(_ access: Access) -> String? {
    switch access {
    case .env(let name) where withheldVariables.contains(name):
      "the API key is never given to scripts; moontide.files and moontide.meetings use it for them"
    case .readOutside(let path), .writeOutside(let path):
      if Self.systemPlaces.contains(where: { RealPath.isWithin(path, $0) }) {
        "files of the system itself are never open to scripts"
      } else if withheldPaths.contains(where: { RealPath.isWithin(path, $0) }) {
        "Moontide keeps trust and keys there"
      } else {
        nil
      }
    case .read, .write, .net, .env, .run, .service: nil
    }
  }
}
