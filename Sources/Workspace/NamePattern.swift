/// A glob for one name: what stands between two slashes.
///
/// It works on bytes, so that it also answers for names that are not UTF-8; `?` and `[…]` take one
/// Unicode scalar. The time is at most name × pattern: only the last `*` is ever taken back.
struct NamePattern: Sendable {
  enum Token: Hashable, Sendable {
    case literal(UInt8)
    /// `?`
    case anyScalar
    /// `*`
    case anything
    /// `[a-z]`, `[!x]`
    case oneOf([ClosedRange<UInt32>], negated: Bool)
  }

  /// The frequent patterns need no search.
  private enum Shape: Sendable {
    case everything
    case exactly([UInt8])
    case endsWith([UInt8])
    case general([Token])
  }

  private let shape: Shape

  /// The pattern begins with a literal dot: only such a one is about hidden names.
  let namesHidden: Bool

  init(_ tokens: [Token]) {
    // `a**b` can only come from braces; it means what `a*b` does.
    var folded: [Token] = []
    for token in tokens where token != .anything || folded.last != .anything { folded.append(token) }
    let literals = folded.compactMap { if case .literal(let byte) = $0 { byte } else { nil } }
    shape =
      if literals.count == folded.count {
        .exactly(literals)
      } else if folded == [.anything] {
        .everything
      } else if folded.first == .anything, literals.count == folded.count - 1 {
        .endsWith(literals)
      } else {
        .general(folded)
      }
    namesHidden = tokens.first == .literal(.dot)
  }

  /// `*`: it matches every name.
  var isEverything: Bool { if case .everything = shape { true } else { false } }

  func matches(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    switch shape {
    case .everything: true
    case .exactly(let literal): name.elementsEqual(literal)
    case .endsWith(let literal):
      name.count >= literal.count && name.suffix(literal.count).elementsEqual(literal)
    case .general(let tokens): Self.search(tokens, name)
    }
  }

  private static func search(_ tokens: [Token], _ name: UnsafeBufferPointer<UInt8>) -> Bool {
    var position = 0
    var token = 0
    var retry: (token: Int, position: Int)?
    while position < name.count || token < tokens.count {
      if token < tokens.count {
        if tokens[token] == .anything {
          retry = (token + 1, position)
          token += 1
          continue
        }
        if position < name.count, let next = step(tokens[token], name, position) {
          token += 1
          position = next
          continue
        }
      }
      // An earlier `*` need not be taken back: whatever it could reach, the last one reaches too.
      guard let last = retry, last.position < name.count else { return false }
      let next = scalar(name, last.position).next
      retry = (last.token, next)
      token = last.token
      position = next
    }
    return true
  }

  private static func step(_ token: Token, _ name: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int? {
    switch token {
    case .literal(let byte):
      return name[position] == byte ? position + 1 : nil
    case .anyScalar:
      return scalar(name, position).next
    case .oneOf(let ranges, let negated):
      let (value, next) = scalar(name, position)
      return ranges.contains { $0.contains(value) } != negated ? next : nil
    case .anything:
      return nil
    }
  }

  /// The scalar at a position and where the next begins; a byte that is not UTF-8 stands for itself,
  /// with a value that no range names.
  private static func scalar(
    _ name: UnsafeBufferPointer<UInt8>, _ position: Int
  ) -> (value: UInt32, next: Int) {
    let first = name[position]
    if first < 0x80 { return (UInt32(first), position + 1) }
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1
    let end = position + length
    guard length > 1, end <= name.count else { return (.max, position + 1) }
    var value = UInt32(first) & (0x7F >> UInt32(length))
    for byte in name[(position + 1)..<end] {
      guard byte & 0xC0 == 0x80 else { return (.max, position + 1) }
      value = value << 6 | UInt32(byte & 0x3F)
    }
    return (value, end)
  }
}
