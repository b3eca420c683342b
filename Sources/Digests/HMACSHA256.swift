import COpenSSL

/// Authentication codes by HMAC with SHA-256 (RFC 2104).
package enum HMACSHA256 {
  /// The 32 bytes of the code of `message` under `key`.
  package static func code(for message: [UInt8], key: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
      var length: UInt32 = 0
      let code = HMAC(
        EVP_sha256(), key, Int32(clamping: key.count), message, message.count, buffer.baseAddress, &length)
      // It fails only when memory runs out, which ends a Swift process anyway.
      precondition(code != nil, "OpenSSL could not compute an authentication code")
      count = Int(length)
    }
  }
}
