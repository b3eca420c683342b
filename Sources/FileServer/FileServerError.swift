/// Why a server could not start.
package struct FileServerError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: Sendable {
    /// Somebody listens on that port already.
    case addressInUse
    /// This machine has no such address, or it may not be used.
    case address
    /// The certificate or its key.
    case tls
    /// The secret that URLs are signed with.
    case secret
  }

  package let code: Code
  /// What is wrong and what to do.
  package let message: String

  package var description: String { message }

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
