import Foundation
import Glibc
import LuaLibrary

/// The environment that the process was started with.
enum LaunchEnvironment {
  /// All variables, as they were at the start.
  static let variables = ProcessInfo.processInfo.environment

  /// Overwrites the values of all variables that scripts are not given, where the process keeps them.
  ///
  /// A program that a script runs is given none of them; this is for what it could read of its parent in `/proc`.
  static func erase(_ withheld: Withheld) {
    let given = ScriptEnvironment(variables, secrets: withheld.variables, keys: withheld.keys)
    for name in variables.keys where given[name] == nil {
      guard let value = getenv(name) else { continue }
      memset(value, 0, strlen(value))
    }
  }
}
