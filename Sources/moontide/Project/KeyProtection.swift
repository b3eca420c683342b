import CProcess
import FoundationEssentials
import LuaLibrary

/// Keeps the API key out of reach of other programs of the same user.
enum KeyProtection {
  /// Closes the process to others of its user when a key came with the environment.
  ///
  /// A program that a script was allowed to run could otherwise read it in `/proc`, a debugger in the memory, and
  /// anybody in a core dump.
  static func begin() {
    let variables = LaunchEnvironment.variables
    if Permissions.keyVariables.contains(where: { !(variables[$0] ?? "").isEmpty }) { close() }
  }

  /// Closes the process to others of its user; for whoever reads a key from elsewhere.
  static func close() {
    // It cannot fail with this value.
    _ = cprocess_set_dumpable(0)
  }
}
