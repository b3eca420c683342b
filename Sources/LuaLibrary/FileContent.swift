import LuaHost
import Workspace

/// What scripts read of files, in bounded memory. Everything here blocks.
package enum FileContent {
  /// The most bytes that a script gets in one piece.
  package static let largestRead = 16 << 20

  /// The whole content.
  ///
  /// - Parameter advice: how to read a part instead, such as `file:read(n)`.
  package static func whole(_ file: OpenFile, advice: String) throws(WorkspaceError) -> [UInt8] {
    let size = try file.stamp().size
    guard size <= largestRead else {
      throw WorkspaceError(
        .tooLarge, path: file.path.string,
        "\(file.path) has \(size) bytes, and at most \(largestRead) are read at once; read a part with \(advice)"
      )
    }
    return try file.readAll(limit: largestRead)
  }

  /// The first bytes, fewer when there are no more.
  package static func head(_ file: OpenFile, count: Int) throws(WorkspaceError) -> [UInt8] {
    try file.read(count: count)
  }

  /// The last bytes, fewer when there are no more.
  package static func tail(_ file: OpenFile, count: Int) throws(WorkspaceError) -> [UInt8] {
    let size = try file.stamp().size
    return try file.read(count: count, at: max(0, size - Int64(count)))
  }
}

extension LuaCall {
  /// How many bytes to read, at most ``FileContent/largestRead``.
  package func byteCount(_ index: Int) throws -> Int {
    try int(index, in: 0...FileContent.largestRead)
  }
}
