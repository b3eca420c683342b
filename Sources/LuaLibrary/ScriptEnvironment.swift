import FileSessions
import LuaHost

/// The environment variables that scripts may be given; the API key is not among them.
package struct ScriptEnvironment: Hashable, Sendable {
  /// A value shorter than this is found in others by chance.
  private static let shortestSecret = 8

  private let variables: [String: String]
  private let isBlank: Bool

  /// - Parameters:
  ///   - variables: the environment of the process.
  ///   - secrets: names whose values scripts never see: those are left out, and with them every variable that
  ///     holds such a value.
  ///   - keys: keys that stand elsewhere, in files say; variables that hold one are left out too.
  package init(
    _ variables: [String: String], secrets: Set<String> = Permissions.keyVariables, keys: [APIKey] = []
  ) {
    isBlank = false
    let values = (secrets.compactMap { variables[$0] } + keys.map(\.secret)).filter {
      $0.utf8.count >= Self.shortestSecret
    }
    self.variables = variables.filter { name, value in
      !secrets.contains(name) && !values.contains { value.contains($0) }
    }
  }

  private init() {
    variables = [:]
    isBlank = true
  }

  /// An environment that tells nothing: every variable that is asked for is an empty text.
  package static let blank = ScriptEnvironment()

  package subscript(name: String) -> String? { isBlank ? "" : variables[name] }

  /// The names, sorted.
  var names: [String] { variables.keys.sorted() }
}

extension LuaLibrary {
  /// `moontide.env.NAME`: the variable's value, or nil when it is not set.
  static func environment(_ context: LibraryContext) -> LuaModule {
    LuaModule("moontide.env") { module in
      module.missing { call in
        let name = try call.string(2)
        try context.require(.env(name), by: "moontide.env.\(escapingControls(name))")
        if let value = context.environment[name] { try call.push(value) } else { call.pushNil() }
      }
    }
  }
}
