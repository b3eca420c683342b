import COpenSSL

extension SHA256 {
  /// SHA-256 fed piece by piece.
  ///
  /// Unchecked: OpenSSL's context may move from thread to thread, and without copies only one can use it at a time.
  package struct Stream: ~Copyable, @unchecked Sendable {
    private let context: OpaquePointer

    /// Starts a digest of no bytes.
    package init() {
      // Both calls fail only when memory runs out, which ends a Swift process anyway.
      guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
        preconditionFailure("OpenSSL could not start a SHA-256: out of memory")
      }
      self.context = context
    }

    deinit {
      EVP_MD_CTX_free(context)
    }

    /// Adds bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
      EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// Adds bytes.
    package mutating func update(_ bytes: [UInt8]) {
      bytes.withUnsafeBytes { update($0) }
    }

    /// The 32 bytes of the digest.
    package consuming func finalize() -> [UInt8] {
      [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
        var length: UInt32 = 0
        EVP_DigestFinal_ex(context, buffer.baseAddress, &length)
        count = Int(length)
      }
    }
  }
}
