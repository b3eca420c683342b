import Foundation
import Glibc

/// The environment that the process was started with.
enum LaunchEnvironment {
  /// All variables, as they were at the start.
  static let variables = ProcessInfo.processInfo.environment

  /// Overwrites the values of variables that hold keys, where the process keeps them.
  ///
  /// A program that a script runs is given none of them; this is for what it could read of its parent in `/proc`.
  static func erase(_ names: Set<String>) {
    _ = variables
    for name in names {
      guard let value = getenv(name) else { continue }
      memset(value, 0, strlen(value))
    }
  }
}
