import Digests

/// An MD5 digest as the API takes it: 32 hexadecimal digits, lower case.
package struct MD5Digest: Hashable, Sendable {
  /// The digits, `^[a-f0-9]{32}$`.
  package let hex: String

  /// Takes the digest's 16 bytes.
  package init(bytes: some Sequence<UInt8>) {
    hex = bytes.hexadecimal
  }

  /// Takes the digits; nil unless they are 32 lower-case hexadecimal ones.
  package init?(hex: String) {
    let digits = hex.utf8
    let isDigit = { (byte: UInt8) in (48...57).contains(byte) || (97...102).contains(byte) }
    guard digits.count == 32, digits.allSatisfy(isDigit) else { return nil }
    self.hex = hex
  }
}

extension MD5Digest: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let digest = MD5Digest(hex: text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is not an MD5")
    }
    self = digest
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(hex)
  }
}

extension MD5Digest: CustomStringConvertible {
  package var description: String { hex }
}
