/// Where new names come from, handed in from outside so that tests can foresee them.
package struct IdentifierSource: Sendable {
  private let random: @Sendable () -> UInt64

  /// A source that draws from `random`: evenly spread, and not to be guessed where ids must not be.
  package init(_ random: @escaping @Sendable () -> UInt64) {
    self.random = random
  }

  /// The system's random numbers, which cannot be guessed.
  package static let system = IdentifierSource { UInt64.random(in: .min ... .max) }

  /// `prefix` and 24 letters and digits: 142 bits of chance, safe in a URL.
  package func identifier(_ prefix: String) -> String {
    prefix + letters(octets: 3)
  }

  /// `sk_lf_` and 32 letters and digits: 190 bits of chance.
  func secret() -> String {
    "sk_lf_" + letters(octets: 4)
  }

  private func letters(octets: Int) -> String {
    let letters = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    var text: [UInt8] = []
    for _ in 0..<octets {
      // Eight digits of base 62 use 48 of the 64 bits, so that the division leaves no bias worth the name.
      var number = random()
      for _ in 0..<8 {
        text.append(letters[Int(number % 62)])
        number /= 62
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// 32 hexadecimal digits, lower case only: a file's name on any file system.
  func blobName() -> String {
    (0..<2).map { _ in
      let digits = String(random(), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
