import Digests

/// What a script is, by the content of all its files: the main one and the modules that it may load.
///
/// A byte more or less in any of them, another name or another file makes another fingerprint.
package struct ScriptFingerprint: Hashable, Sendable, CustomStringConvertible {
  /// 64 lower-case hexadecimal digits.
  package let description: String

  /// - Parameter files: names as the script knows them (the main file's, `lib/slack.lua`) and their bytes; in
  ///   any order.
  package init(files: [String: [UInt8]]) {
    var digest = DigestStream(.sha256)
    digest.update(Array("moontide-script-1".utf8))
    for (name, bytes) in files.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      // Digests of a fixed length: names and contents cannot run into each other.
      digest.update(SHA256.digest(Array(name.utf8)))
      digest.update(SHA256.digest(bytes))
    }
    description = digest.finalize().hexadecimal
  }
}
