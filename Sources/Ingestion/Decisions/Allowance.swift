/// How much one run may begin to send; nil: as much as there is.
package struct Allowance: Hashable, Sendable {
  package var files: Int?
  package var bytes: Int64?
  /// How the bytes were asked for: `500M`.
  package var bytesText: String?

  package init(files: Int? = nil, bytes: Int64? = nil, bytesText: String? = nil) {
    self.files = files
    self.bytes = bytes
    self.bytesText = bytesText
  }

  /// Without limit.
  package static let all = Allowance()

  /// Takes what sending a file of `size` bytes needs.
  ///
  /// - Returns: Whether there was enough of it. From the first time that there was not there is nothing left, so that
  ///   what is left for another run does not depend on the sizes.
  mutating func take(_ size: Int64) -> Bool {
    guard files.map({ $0 > 0 }) ?? true, bytes.map({ $0 >= size }) ?? true else {
      if files != nil { files = 0 }
      if bytes != nil { bytes = 0 }
      return false
    }
    spend(size)
    return true
  }

  /// Counts what is sent in any case.
  mutating func spend(_ size: Int64) {
    if let files { self.files = max(0, files - 1) }
    if let bytes { self.bytes = max(0, bytes - size) }
  }
}
