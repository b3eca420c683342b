/// SHA-256 as OpenSSL computes it.
package enum SHA256 {
  /// The 32 bytes of the digest of `bytes`.
  package static func digest(_ bytes: [UInt8]) -> [UInt8] {
    var digest = DigestStream(.sha256)
    digest.update(bytes)
    return digest.finalize()
  }

  /// The digest of `text`'s UTF-8 as 64 lower-case hexadecimal digits.
  package static func hex(_ text: String) -> String {
    digest(Array(text.utf8)).hexadecimal
  }
}
