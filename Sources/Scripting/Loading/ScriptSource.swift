import Digests
import Glibc
import LuaHost
import Workspace

/// The text of a script.
package struct ScriptSource: Sendable {
  /// What messages call it: `handbook.lua`.
  package let name: String
  package let bytes: [UInt8]
  /// The directory that the file is in, where its modules are looked for; nil when it is not from a file.
  let directory: String?

  /// The largest script, in bytes.
  package static let largest = 4 << 20

  /// Takes a text that is already there.
  ///
  /// - Parameter directory: where modules are looked for besides the project's `lib/`.
  package init(name: String, text: String, directory: String? = nil) {
    self.init(name: name, bytes: Array(text.utf8), directory: directory)
  }

  private init(name: String, bytes: [UInt8], directory: String?) {
    self.directory = directory
    self.name = name
    self.bytes = bytes
  }

  /// Reads a file that the user named. It may lie anywhere: the project's walls are for scripts, not for people.
  package static func read(_ path: String) async throws(ScriptError) -> ScriptSource {
    let shown = escapingControls(path)
    let name = path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? path
    let bytes = try await offload { () throws(ScriptError) in
      let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw unreadable(shown, errno) }
      defer { close(descriptor) }
      return try readAll(descriptor, shown)
    }
    // Of the file itself where the path is a link: its modules lie beside it.
    let directory = await offload { Self.directory(of: path) }
    return ScriptSource(name: escapingControls(name), bytes: bytes, directory: directory)
  }

  private static func directory(of path: String) -> String? {
    guard let real = realPath(path), let slash = real.utf8.lastIndex(of: UInt8(ascii: "/")) else {
      return nil
    }
    return slash == real.utf8.startIndex ? "/" : String(real[..<slash])
  }

  /// The absolute path of a script's file, links resolved; nil when it is not there. Blocks.
  package static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func readAll(_ descriptor: Int32, _ shown: String) throws(ScriptError) -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = piece.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw unreadable(shown, errno)
      }
      bytes.append(contentsOf: piece[..<count])
      guard bytes.count <= largest else {
        throw ScriptError(.unreadable, "\(shown) is longer than \(largest) bytes; that is no script")
      }
    }
  }

  private static func unreadable(_ shown: String, _ number: Int32) -> ScriptError {
    ScriptError(.unreadable, "The script \(shown) cannot be read: \(String(cString: strerror(number))).")
  }

  /// Changes whenever the text, the arguments, the modules or the scope do.
  ///
  /// - Parameter scope: what the script may do and use; with more of it, what failed may succeed.
  func version(arguments: [String: String], modules: [String: [UInt8]], scope: [String]) -> String {
    var text = bytes
    for (name, value) in arguments.sorted(by: { $0.key < $1.key }) {
      text.append(0)
      text.append(contentsOf: "\(name.utf8.count):\(name)=\(value)".utf8)
    }
    for (name, bytes) in modules.sorted(by: { $0.key < $1.key }) {
      text.append(0)
      text.append(contentsOf: "\(name.utf8.count):\(name):\(bytes.count):".utf8)
      text.append(contentsOf: bytes)
    }
    for line in scope {
      text.append(0)
      text.append(contentsOf: line.utf8)
    }
    return SHA256.digest(text).hexadecimal
  }

  /// A line, counted from 1, as a person sees it.
  func line(_ number: Int) -> String {
    let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
    guard lines.indices.contains(number - 1) else { return "" }
    return escapingControls(
      String(decoding: lines[number - 1].prefix(200), as: UTF8.self).replacing("\t", with: "  ")
        .replacing("\r", with: ""))
  }
}
