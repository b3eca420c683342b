import LuaHost

/// What the command line grants: to every script, and to single ones.
package struct PermissionGrants: Hashable, Sendable {
  private var everyone = PermissionSet()
  private var single: [String: PermissionSet] = [:]

  package init() {}

  /// Nothing.
  package static let none = PermissionGrants()

  package var isEmpty: Bool { everyone.isEmpty && single.isEmpty }

  /// The scripts that were named; one that is not loaded is a mistake worth a warning.
  package var scripts: [String] { single.keys.sorted() }

  /// What a script of this name is granted.
  package func granted(to script: String) -> PermissionSet {
    var set = everyone
    if let own = single[script] { set.formUnion(own) }
    return set
  }

  /// Takes one flag as it stands on the command line: `--allow-net=slack:hooks.slack.com,example.com:8080`,
  /// `--allow-read`, `--allow-all=slack`.
  ///
  /// - Returns: false when it is no flag of permissions.
  package mutating func take(_ flag: String, base: PathBase) throws(PermissionSyntaxError) -> Bool {
    guard flag.hasPrefix("--allow-") else { return false }
    let parts = flag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let value = parts.count == 2 ? parts[1] : nil
    if parts[0] == "--allow-all" {
      try allowAll(value)
    } else if let kind = PermissionKind.allCases.first(where: { $0.flag == parts[0] }) {
      try allow(kind, value, base: base)
    } else {
      let known = PermissionKind.allCases.map(\.flag) + ["--allow-all"]
      let nearest = nearestName(to: parts[0], in: known).map { "did you mean \($0)?" }
      throw PermissionSyntaxError(
        problem: "there is no \(escapingControls(parts[0])); "
          + (nearest ?? "there are \(known.joined(separator: ", "))"))
    }
    return true
  }

  /// A flag without `=`: everything of its kind, to every script.
  package mutating func allowAll(_ kind: PermissionKind) {
    everyone.insertAll(kind)
  }

  /// `--allow-all`, or `--allow-all=slack,handbook` for those scripts only.
  package mutating func allowAll(_ scripts: String? = nil) throws(PermissionSyntaxError) {
    guard let scripts else {
      everyone.formUnion(.everything)
      return
    }
    for name in scripts.split(separator: ",", omittingEmptySubsequences: false) {
      guard Self.isScriptName(name) else {
        throw PermissionSyntaxError(
          problem:
            "--allow-all=\(escapingControls(scripts)): the name of a script wanted, as in --allow-all=slack")
      }
      single[String(name), default: PermissionSet()].formUnion(.everything)
    }
  }

  /// `--allow-read`, `--allow-net=host:443,other.host`.
  ///
  /// `name:` before an object grants it, and those that follow it in the list, to that script only; `name:`
  /// alone grants it everything of the kind. A path that could be taken for that begins with `./` or `/`.
  ///
  /// - Parameter value: what follows the `=`; nil, without one, for everything of the kind.
  package mutating func allow(
    _ kind: PermissionKind, _ value: String?, base: PathBase
  ) throws(PermissionSyntaxError) {
    guard let value else { return allowAll(kind) }
    var script: String?
    for item in value.split(separator: ",", omittingEmptySubsequences: false) {
      var object = item
      if let named = Self.script(of: item, kind) {
        script = String(named)
        object = item.dropFirst(named.utf8.count + 1)
      }
      var set = PermissionSet()
      do throws(PermissionSyntaxError) {
        if object.isEmpty, object.startIndex != item.startIndex {
          set.insertAll(kind)
        } else {
          try set.insert(String(object), kind)
        }
      } catch {
        throw PermissionSyntaxError(problem: "\(kind.flag)=\(escapingControls(value)): \(error.problem)")
      }
      set = set.resolved(base)
      if let script {
        single[script, default: PermissionSet()].formUnion(set)
      } else {
        everyone.formUnion(set)
      }
    }
  }

  /// The script that an item of a list is for: `slack` of `slack:hooks.slack.com`.
  private static func script(of item: Substring, _ kind: PermissionKind) -> Substring? {
    guard let colon = item.firstIndex(of: ":") else { return nil }
    let (name, rest) = (item[..<colon], item[item.index(after: colon)...])
    guard isScriptName(name) else { return nil }
    return switch kind {
    // `localhost:8080` is a host with a port.
    case .net: rest.isEmpty || !rest.utf8.allSatisfy(isDigit) ? name : nil
    // Scopes have a colon of their own; a wrong one is still meant as a scope.
    case .service: rest.isEmpty || rest.contains(":") ? name : nil
    case .read, .write, .env, .run: name
    }
  }

  private static func isScriptName(_ name: Substring) -> Bool {
    !name.isEmpty
      && name.unicodeScalars.allSatisfy {
        $0.properties.isAlphabetic || ("0"..."9").contains($0) || "_-.".unicodeScalars.contains($0)
      }
  }
}
