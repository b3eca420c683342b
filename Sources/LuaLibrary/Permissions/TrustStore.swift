import FileSessions
import FoundationEssentials
import Glibc
import Workspace

/// Which scripts the user trusts with what: `trust.json` in the user's configuration directory.
///
/// Scripts are known by their content alone, so trust ends with the first byte that changes, and it is the
/// user's: whatever a project brings along is never looked at.
package struct TrustStore: Sendable {
  /// The directory, `$XDG_CONFIG_HOME/moontide` or `~/.config/moontide`. Scripts are kept out of it.
  package let directory: String

  private static let largest = 16 << 20

  /// - Parameter directory: an absolute path; it need not exist.
  package init(directory: String) {
    self.directory = directory
  }

  /// The user's, from the environment; nil when neither `XDG_CONFIG_HOME` nor `HOME` is an absolute path.
  package init?(environment: [String: String]) {
    // The specification has relative ones ignored.
    func absolute(_ name: String) -> String? { environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil } }
    guard let base = absolute("XDG_CONFIG_HOME") ?? absolute("HOME").map({ $0 + "/.config" }) else {
      return nil
    }
    self.init(directory: PathText.join([base, "moontide"]))
  }

  /// Where it is kept.
  package var path: String { directory + "/trust.json" }

  /// What this script was trusted with; nil when it never was. Blocks.
  ///
  /// - Throws: `TrustError` when the file cannot be read, or another user could have written it.
  package func trusted(_ script: ScriptFingerprint) throws(TrustError) -> PermissionDeclaration? {
    try load().trusted[script.description]?.permissions
  }

  /// Remembers what a script is trusted with, instead of what it was before. Blocks.
  ///
  /// - Parameter name: the script's file, for people who read the file.
  package func trust(
    _ script: ScriptFingerprint, name: String, with permissions: PermissionDeclaration, at now: Timestamp
  ) throws(TrustError) {
    try change {
      $0.trusted[script.description] = Entry(script: name, trustedAt: now, permissions: permissions)
    }
  }

  /// All that is trusted, by the script's file. Blocks.
  package func all() throws(TrustError) -> [TrustedScript] {
    try load().trusted.map { fingerprint, entry in
      TrustedScript(
        fingerprint: fingerprint, script: entry.script, trustedAt: entry.trustedAt,
        permissions: entry.permissions)
    }.sorted { ($0.script, $0.trustedAt, $0.fingerprint) < ($1.script, $1.trustedAt, $1.fingerprint) }
  }

  /// Forgets scripts. Blocks.
  ///
  /// - Returns: how many there were.
  @discardableResult
  package func forget(_ isMeant: (TrustedScript) -> Bool) throws(TrustError) -> Int {
    let meant = try all().filter(isMeant)
    if meant.isEmpty { return 0 }
    try change { content in
      for script in meant { content.trusted[script.fingerprint] = nil }
    }
    return meant.count
  }

  /// Whether it lies below a directory; then whatever fills that directory could have brought it. Blocks.
  package func isWithin(_ directory: String) -> Bool {
    RealPath.isWithin(RealPath.resolve(path), RealPath.resolve(directory))
  }

  private struct Content: Codable {
    var version = 1
    var trusted: [String: Entry] = [:]
  }

  private struct Entry: Codable {
    var script: String
    var trustedAt: Timestamp
    var permissions: PermissionDeclaration

    enum CodingKeys: String, CodingKey {
      case script, permissions
      case trustedAt = "trusted_at"
    }
  }

  private func change(_ body: (inout Content) -> Void) throws(TrustError) {
    try makeDirectory()
    // Two of us at once would each write only what it had read.
    let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard lock >= 0 else { throw failure("cannot be locked") }
    defer { close(lock) }
    while flock(lock, LOCK_EX) != 0 {
      guard errno == EINTR else { throw failure("cannot be locked") }
    }
    var content = try load()
    body(&content)
    try save(content)
  }

  private func makeDirectory() throws(TrustError) {
    var parent = ""
    for component in PathText.components(directory) {
      parent += "/" + component
      guard mkdir(parent, 0o700) == 0 || errno == EEXIST || errno == EROFS || errno == EACCES else {
        throw failure("cannot be made")
      }
    }
  }

  private func load() throws(TrustError) -> Content {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return Content() }
      throw failure("cannot be read")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("cannot be read") }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.largest else {
      throw TrustError(path: path, problem: "is no file of ours; remove it")
    }
    guard status.st_uid == geteuid() || status.st_uid == 0, status.st_mode & 0o022 == 0 else {
      throw TrustError(
        path: path, problem: "can be written by other users, so nothing in it counts; chmod 600 it")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let count = bytes.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress?.advanced(by: filled), $0.count - filled, filled)
      }
      guard count >= 0 else { throw failure("cannot be read") }
      if count == 0 { break }
      filled += count
    }
    do {
      let content = try JSONDecoder().decode(Content.self, from: Data(bytes.prefix(filled)))
      guard content.version == 1 else {
        throw TrustError(path: path, problem: "was written by a later version of Moontide; use that one")
      }
      return content
    } catch let error as TrustError {
      throw error
    } catch {
      throw TrustError(path: path, problem: "cannot be understood; remove it, and trust the scripts again")
    }
  }

  /// Written beside it and renamed, so that a reader finds the old or the new.
  private func save(_ content: Content) throws(TrustError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let text = try? encoder.encode(content) else { throw failure("cannot be written") }
    // The lock is held: nobody else writes this name.
    let temporary = path + ".new"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure("cannot be written") }
    defer { close(descriptor) }
    var rest = [UInt8](text)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 || errno == EINTR else { throw failure("cannot be written") }
      rest = rest.dropFirst(max(count, 0))
    }
    guard fchmod(descriptor, 0o600) == 0, fsync(descriptor) == 0, rename(temporary, path) == 0 else {
      throw failure("cannot be written")
    }
  }

  private func failure(_ problem: String) -> TrustError {
    TrustError(path: path, problem: "\(problem): \(String(cString: strerror(errno)))")
  }
}

/// The trust of the user cannot be read or written; no script is trusted then.
package struct TrustError: Error, Hashable, Sendable, CustomStringConvertible {
  package let path: String
  package let problem: String

  package var description: String { "\(path) \(problem)" }
}
