import FileSessions

/// A script that the user trusts, in one version.
package struct TrustedScript: Hashable, Sendable {
  /// Of the script and its modules, as hexadecimal digits.
  package let fingerprint: String
  /// The script's file when it was trusted, an absolute path. It tells people what is meant, and decides nothing.
  package let script: String
  package let trustedAt: Timestamp
  package let permissions: PermissionDeclaration
}
