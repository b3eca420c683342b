import Foundation
import Glibc

/// The environment that the process was started with.
enum LaunchEnvironment {
  /// All variables, as they were at the start.
  static let variables = ProcessInfo.processInfo.environment

  /// Overwrites the values of variables that hold keys, and of those that hold copies of them, where the process
  /// keeps them.
  ///
  /// A program that a script runs is given none of them; this is for what it could read of its parent in `/proc`.
  ///
  /// - Parameter keys: keys that stand elsewhere, in files say.
  static func erase(_ names: Set<String>, keys: [String] = []) {
    let secrets = (names.compactMap { variables[$0] } + keys).filter { $0.utf8.count >= shortestSecret }
    for (name, text) in variables where names.contains(name) || secrets.contains(where: text.contains) {
      guard let value = getenv(name) else { continue }
      memset(value, 0, strlen(value))
    }
  }

  /// A shorter value is found in others by chance.
  private static let shortestSecret = 8
}
