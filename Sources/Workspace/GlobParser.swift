/// Reads a glob into its alternatives (braces multiplied out), each a list of segments.
struct GlobParser {
  enum Token {
    case name(NamePattern.Token)
    case slash
    /// `**` at a position, for the message when it does not stand alone.
    case anyDepth(Int)
  }

  private indirect enum Node {
    case token(Token)
    case choice([[Node]], Int)
  }

  /// More than anyone writes by hand; `{a,b}` forty times over would be 2⁴⁰.
  private static let maximumAlternatives = 1024

  private let pattern: String
  private let scalars: [Unicode.Scalar]
  private var index = 0

  init(_ pattern: String) {
    self.pattern = pattern
    scalars = Array(pattern.unicodeScalars)
  }

  /// The alternatives as tokens; a `/` at the end has become `/**`.
  mutating func parse() throws(GlobError) -> [[Token]] {
    guard !scalars.isEmpty else { throw error(0, "it is empty; write ** for every file") }
    guard scalars[0] != "/" else {
      throw error(0, "globs are relative; leave out the / at the beginning")
    }
    var nodes = try sequence(inBraces: false)
    if case .token(.slash)? = nodes.last { nodes.append(.token(.anyDepth(scalars.count))) }
    return try expand(nodes)
  }

  func error(_ index: Int, _ reason: String) -> GlobError {
    GlobError(pattern: pattern, position: index + 1, reason: reason)
  }

  private mutating func sequence(inBraces: Bool) throws(GlobError) -> [Node] {
    var nodes: [Node] = []
    while index < scalars.count {
      let start = index
      let scalar = scalars[index]
      if inBraces && (scalar == "," || scalar == "}") { return nodes }
      index += 1
      switch scalar {
      case "/": nodes.append(.token(.slash))
      case "?": nodes.append(.token(.name(.anyScalar)))
      case "*": nodes.append(.token(stars(from: start)))
      case "[": nodes.append(.token(.name(try set(from: start))))
      case "{": nodes.append(try choice(from: start))
      case "}": throw error(start, "this } has no { before it; write \\} for the character itself")
      case "\\":
        guard index < scalars.count else {
          throw error(start, "nothing follows the \\; write \\\\ for the character itself")
        }
        nodes += try literal(scalars[index], at: index)
        index += 1
      default: nodes += try literal(scalar, at: start)
      }
    }
    return nodes
  }

  private func literal(_ scalar: Unicode.Scalar, at index: Int) throws(GlobError) -> [Node] {
    guard scalar.value != 0 else { throw error(index, "no name has a NUL character in it") }
    guard scalar != "/" else { throw error(index, "a / cannot be escaped: no name has one in it") }
    return Unicode.UTF8.encode(scalar)?.map { .token(.name(.literal($0))) } ?? []
  }

  private mutating func stars(from start: Int) -> Token {
    while index < scalars.count && scalars[index] == "*" { index += 1 }
    return index - start == 1 ? .name(.anything) : .anyDepth(start)
  }

  private mutating func set(from start: Int) throws(GlobError) -> NamePattern.Token {
    var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false
    if index < scalars.count, scalars[index] == "!" || scalars[index] == "^" {
      isNegated = true
      index += 1
    }
    let first = index
    while index < scalars.count {
      // A ] that comes first is meant itself, as everywhere.
      if scalars[index] == "]" && index > first {
        index += 1
        return .oneOf(ranges, negated: isNegated)
      }
      let position = index
      let low = try member(of: start)
      guard index + 1 < scalars.count, scalars[index] == "-", scalars[index + 1] != "]" else {
        ranges.append(low...low)
        continue
      }
      index += 1
      let high = try member(of: start)
      guard low <= high else {
        throw error(position, "this range runs backwards; write the smaller character first")
      }
      ranges.append(low...high)
    }
    throw error(start, "this [ has no ] after it; write \\[ for the character itself")
  }

  private mutating func member(of start: Int) throws(GlobError) -> UInt32 {
    if scalars[index] == "\\" && index + 1 < scalars.count { index += 1 }
    guard scalars[index] != "/" else {
      throw error(index, "a / cannot stand between [ and ]: no name has one in it")
    }
    index += 1
    return scalars[index - 1].value
  }

  private mutating func choice(from start: Int) throws(GlobError) -> Node {
    var choices: [[Node]] = []
    while true {
      choices.append(try sequence(inBraces: true))
      guard index < scalars.count else {
        throw error(start, "this { has no } after it; write \\{ for the character itself")
      }
      index += 1
      if scalars[index - 1] == "}" { return .choice(choices, start) }
    }
  }

  private func expand(_ nodes: [Node]) throws(GlobError) -> [[Token]] {
    var results: [[Token]] = [[]]
    for node in nodes {
      switch node {
      case .token(let token):
        for index in results.indices { results[index].append(token) }
      case .choice(let choices, let start):
        var expanded: [[Token]] = []
        for choice in choices { expanded += try expand(choice) }
        guard results.count * expanded.count <= Self.maximumAlternatives else {
          throw error(
            start, "the braces make more than \(Self.maximumAlternatives) patterns; use several globs")
        }
        results = results.flatMap { head in expanded.map { head + $0 } }
      }
    }
    return results
  }
}
