import Glibc
import LuaHost

/// What relative paths in permissions are relative to.
package struct PathBase: Hashable, Sendable {
  /// An absolute path: the project for what recipes declare, the current directory for flags.
  package let directory: String
  /// What `~` stands for; nil where it is a name like others.
  package let home: String?

  package init(directory: String, home: String? = nil) {
    self.directory = directory
    self.home = home
  }

  /// The absolute path without `.` and `..`, which are folded as text; links are left as they are.
  package func absolute(_ path: String) -> String {
    if let home, path == "~" || path.hasPrefix("~/") {
      return PathText.normalize(home + "/" + path.dropFirst())
    }
    return PathText.normalize(PathText.isAbsolute(path) ? path : directory + "/" + path)
  }
}

/// Where a path really leads.
enum RealPath {
  /// The absolute path with the links of all that is there resolved; what is not there stays as it is written.
  /// Blocks.
  ///
  /// Nothing may be opened by the result as if it were still so: who opens it refuses links that came meanwhile.
  ///
  /// - Parameter keepingLast: leaves the last component alone, for what is done to a link itself.
  static func resolve(_ path: String, keepingLast: Bool = false) -> String {
    var existing = PathText.components(PathText.normalize(path))
    var missing: [String] = []
    if keepingLast, let last = existing.popLast() { missing.append(last) }
    while !existing.isEmpty {
      if let real = system("/" + existing.joined(separator: "/")) {
        return PathText.join([real] + missing.reversed())
      }
      missing.append(existing.removeLast())
    }
    return "/" + missing.reversed().joined(separator: "/")
  }

  private static func system(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(validatingCString: resolved)
  }

  /// Whether a path is `directory` or below it, by bytes.
  static func isWithin(_ path: String, _ directory: String) -> Bool {
    if directory == "/" { return true }
    let (path, directory) = (path.utf8, directory.utf8)
    guard path.starts(with: directory) else { return false }
    let rest = path.dropFirst(directory.count)
    return rest.isEmpty || rest.first == UInt8(ascii: "/")
  }
}
