import FileSessions
import Glibc

/// Where a profile's key comes from; never the key itself.
enum KeySource: Hashable, Sendable {
  /// The environment variable of this name.
  case variable(String)
  /// The file at this absolute path.
  case file(String)
  /// The credential of this name that systemd hands over (`LoadCredential=`).
  case credential(String)

  /// The variable that the official clients read.
  static let standardVariable = "LIGHTFIELD_API_KEY"

  /// No key is longer; what is was meant as something else.
  private static let largestFile = 4096

  /// How people are told of it.
  var phrase: String {
    switch self {
    case .variable(let name): name
    case .file(let path): path
    case .credential(let name): "the credential \(name)"
    }
  }

  /// The key, or nil when its place is empty: the variable is not set, there is no credential. Blocks.
  ///
  /// - Parameter warn: is told of a file that other users can read.
  func read(_ environment: [String: String], warn: (String) -> Void) throws(CommandFailure) -> APIKey? {
    switch self {
    case .variable(let name):
      guard let text = environment[name], !text.isEmpty else { return nil }
      return try Self.key(text, from: "The variable \(name)")
    case .file(let path):
      return try Self.read(path, warn: warn)
    case .credential(let name):
      guard let directory = Self.credentials(environment) else { return nil }
      return try Self.read(directory + "/" + name, warn: warn)
    }
  }

  /// Where systemd puts the credentials of a unit.
  static func credentials(_ environment: [String: String]) -> String? {
    environment["CREDENTIALS_DIRECTORY"].flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  private static func read(_ path: String, warn: (String) -> Void) throws(CommandFailure) -> APIKey {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      throw CommandFailure(.usage, "The key file \(path) cannot be read: \(systemMessage()).")
    }
    defer { close(descriptor) }
    var status = stat()
    // A pipe is what `--api-key-file <(pass show lightfield)` gives.
    guard fstat(descriptor, &status) == 0, [S_IFREG, S_IFIFO].contains(status.st_mode & S_IFMT) else {
      throw CommandFailure(.usage, "The key file \(path) is not a file.")
    }
    let isFile = status.st_mode & S_IFMT == S_IFREG
    guard !isFile || status.st_mode & 0o002 == 0 else {
      throw CommandFailure(
        .usage, "Every user can write the key file \(path), so the key in it may be anybody's: chmod 600 it.")
    }
    if isFile, status.st_mode & 0o004 != 0 {
      warn("Every user of this machine can read the key file \(path): chmod 600 it.")
    }
    return try key(try text(of: descriptor, path), from: "The key file \(path)")
  }

  private static func text(of descriptor: Int32, _ path: String) throws(CommandFailure) -> String {
    var bytes: [UInt8] = []
    while bytes.count <= largestFile {
      var piece = [UInt8](repeating: 0, count: 1024)
      let count = Glibc.read(descriptor, &piece, piece.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw CommandFailure(.usage, "The key file \(path) cannot be read: \(systemMessage()).")
      }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += piece[..<count]
    }
    throw CommandFailure(.usage, "The key file \(path) holds more than a key.")
  }

  private static func key(_ text: String, from place: String) throws(CommandFailure) -> APIKey {
    guard let key = APIKey(text) else {
      throw CommandFailure(.usage, "\(place) holds no key: one line, without spaces, such as sk_lf_….")
    }
    return key
  }
}
