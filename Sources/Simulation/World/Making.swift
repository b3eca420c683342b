import Workspace

/// What a recipe makes of a file before it is sent; the bytes tell what they were made from.
package enum Making: Hashable, Sendable {
  /// The file is sent as it is.
  case nothing
  /// Other bytes are sent in its place.
  case other
  /// It goes in so many parts.
  case parts(Int)

  /// The names and the bytes of what is made.
  func results(of content: [UInt8], called name: String) -> [(name: String, bytes: [UInt8])] {
    switch self {
    case .nothing: []
    case .other: [(name, Array("1/1:".utf8) + content)]
    case .parts(let count):
      (1...max(count, 1)).map { ("\(name)~\($0)", Array("\($0)/\(count):".utf8) + content) }
    }
  }

  /// What was made, read from a name and bytes that were sent.
  struct Source: Hashable {
    /// The name of the file.
    var name: String
    /// What the file had.
    var content: [UInt8]
    /// Which of how many.
    var part = 1
    var count = 1

    init(name: String, bytes: [UInt8]) {
      self.name = name.split(separator: "~").first.map(String.init) ?? name
      content = bytes
      // No file of the user begins with a number.
      guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return }
      let numbers = bytes[..<colon].split(separator: UInt8(ascii: "/")).map {
        Int(String(decoding: $0, as: UTF8.self))
      }
      guard numbers.count == 2, let part = numbers[0], let count = numbers[1] else { return }
      (self.part, self.count) = (part, count)
      content = Array(bytes[(colon + 1)...])
    }
  }
}
