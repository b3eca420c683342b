import LuaHost

/// What a script asks for: the `permissions` of a recipe.
///
/// It permits nothing by itself. It makes errors say more, and is what `moontide trust` shows and grants.
package struct PermissionDeclaration: Hashable, Sendable, Codable {
  /// What is asked for; paths as written, relative to the project.
  package var wanted: PermissionSet

  package init(_ wanted: PermissionSet = PermissionSet()) {
    self.wanted = wanted
  }

  /// Nothing.
  package static let none = PermissionDeclaration()

  package var isEmpty: Bool { wanted.isEmpty }

  /// Reads `{ read = { "../in" }, net = { "hooks.slack.com" }, env = …, run = …, service = … }`.
  ///
  /// Each value is a text, a list of texts, or `true` for everything of its kind.
  ///
  /// - Throws: `LuaValueError` that names the field, and the known name or scope that was meant.
  package init(_ fields: LuaFields) throws {
    self.init()
    try fields.onlyKnown(PermissionKind.allCases.map(\.rawValue))
    for kind in PermissionKind.allCases {
      switch fields[kind.rawValue] {
      case nil, .boolean(false): continue
      case .boolean(true): wanted.insertAll(kind)
      default:
        for item in try fields.optionalStrings(kind.rawValue) ?? [] {
          do throws(PermissionSyntaxError) {
            try wanted.insert(item, kind)
          } catch {
            throw LuaValueError(place: "\(fields.place): field '\(kind.rawValue)'", problem: error.problem)
          }
        }
      }
    }
  }
}
