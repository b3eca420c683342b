import COpenSSL

/// A digest as OpenSSL computes it, fed piece by piece.
///
/// OpenSSL comes with the system and needs no compiling, where a bundled BoringSSL would be most of a fresh
/// build; both run at the same speed (MD5 at about 0.75 GB/s a core).
///
/// Unchecked: OpenSSL's context may move from thread to thread, and without copies only one can use it at a time.
package struct DigestStream: ~Copyable, @unchecked Sendable {
  /// Which digest it is, and so how long.
  package enum Algorithm: Sendable {
    /// 16 bytes.
    case md5
    /// 32 bytes.
    case sha256

    fileprivate var implementation: OpaquePointer? {
      switch self {
      case .md5: EVP_md5()
      case .sha256: EVP_sha256()
      }
    }
  }

  private let context: OpaquePointer

  /// Starts a digest of no bytes.
  package init(_ algorithm: Algorithm) {
    // Both calls fail only when memory runs out, which ends a Swift process anyway.
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, algorithm.implementation, nil) == 1
    else {
      preconditionFailure("OpenSSL could not start a digest: out of memory, or a build without \(algorithm)")
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

  /// The bytes of the digest.
  package consuming func finalize() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
      var length: UInt32 = 0
      EVP_DigestFinal_ex(context, buffer.baseAddress, &length)
      count = Int(length)
    }
  }
}
