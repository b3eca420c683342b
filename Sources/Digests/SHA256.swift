import COpenSSL

/// SHA-256 as OpenSSL computes it.
package enum SHA256 {
  /// The 32 bytes of the digest of `bytes`.
  package static func digest(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
      var length: UInt32 = 0
      let done = EVP_Digest(bytes, bytes.count, buffer.baseAddress, &length, EVP_sha256(), nil)
      precondition(done == 1, "OpenSSL could not compute a SHA-256: out of memory")
      count = Int(length)
    }
  }

  /// The digest of `text`'s UTF-8 as 64 lower-case hexadecimal digits.
  package static func hex(_ text: String) -> String {
    digest(Array(text.utf8)).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }
}
