import FoundationEssentials
import Workspace

/// A project in a temporary directory, removed at the end.
package final class Project: Sendable {
  /// The directory.
  package let path: String
  package let workspace: Workspace

  package init() throws {
    path = FileManager.default.temporaryDirectory.path + "/moontide-scripting-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    workspace = try Workspace(root: path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file of the project.
  @discardableResult
  package func write(_ path: String, _ text: String = "text\n") throws -> ProjectPath {
    try write(path, bytes: Array(text.utf8))
  }

  /// Writes a file of the project.
  @discardableResult
  package func write(_ path: String, bytes: [UInt8]) throws -> ProjectPath {
    try workspace.write(ProjectPath(path), bytes).path
  }

  /// The text of a file of the project.
  package func read(_ path: String) throws -> String {
    String(decoding: try workspace.read(ProjectPath(path), limit: 1 << 20), as: UTF8.self)
  }
}
