import Foundation
import Workspace

/// A directory of its own for a test, removed with the last reference to it.
final class TemporaryProject: Sendable {
  let root: String

  init() throws {
    root = NSTemporaryDirectory() + "/moontide-ingestion-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: root)
  }

  var state: String { root + "/.moontide" }

  func workspace() throws -> Workspace { try Workspace(root: root) }

  func write(_ text: String, to path: String) throws {
    let url = URL(fileURLWithPath: root + "/" + path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  /// Changes the beginning of a file's content, and leaves it the same file.
  func overwrite(_ text: String, in path: String) throws {
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: root + "/" + path))
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }

  func link(_ path: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: root + "/" + path, withDestinationPath: root + "/" + target)
  }

  func remove(_ path: String) throws {
    try FileManager.default.removeItem(atPath: root + "/" + path)
  }

  func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root + "/" + path) }

  /// Gives the file another modification time and leaves its content alone.
  func touch(_ path: String) throws {
    let moment = Date(timeIntervalSince1970: 1_000_000_000)
    try FileManager.default.setAttributes([.modificationDate: moment], ofItemAtPath: root + "/" + path)
  }
}
