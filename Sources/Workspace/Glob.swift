/// A pattern for relative paths: `**/*.md`, `notes/[a-c]?.{txt,md}`, `drafts/`.
///
/// | written | matches |
/// |---|---|
/// | `*` | any characters of one name, also none |
/// | `?` | one character (a Unicode scalar) |
/// | `[a-z]`, `[!x]` | one of these, one other than these |
/// | `{a,b}` | either; may be nested and hold slashes |
/// | `**` | any number of directories, also none; at the end everything below |
/// | `drafts/` | the same as `drafts/**` |
/// | `\*` | the character itself |
///
/// `./` in front changes nothing. Upper and lower case differ. A name that begins with a dot is only
/// matched where the pattern has that dot, or where `hidden` is asked for. Matching never explodes: a
/// path is read once, whatever the pattern.
package struct Glob: Sendable, Hashable, CustomStringConvertible {
  /// As it was written.
  package let pattern: String

  let alternatives: [GlobAlternative]

  /// Reads a pattern; throws with the position and a way out where it cannot be one.
  package init(_ pattern: String) throws(GlobError) {
    self.pattern = pattern
    var parser = GlobParser(pattern)
    var alternatives: [GlobAlternative] = []
    for tokens in try parser.parse() {
      alternatives.append(try GlobAlternative(tokens, of: parser))
    }
    self.alternatives = alternatives
  }

  /// Whether the pattern matches this relative path.
  package func matches(_ relative: String, hidden: Bool = false) -> Bool {
    // A name alone, which is asked about for every file of a tree, is not taken apart.
    guard relative.isEmpty || relative.utf8.contains(.slash) else {
      return withBytes(of: relative) { name in
        alternatives.contains { $0.advance($0.start, name, hidden: hidden) & $0.end != 0 }
      }
    }
    let names = split(relative)
    return alternatives.contains { $0.matches(names, hidden: hidden) }
  }

  package var description: String { pattern }

  package static func == (a: Glob, b: Glob) -> Bool { a.pattern.utf8.elementsEqual(b.pattern.utf8) }

  package func hash(into hasher: inout Hasher) { hasher.combine(pattern) }
}

/// One way through a glob's braces: segments, and how far a path has come along them.
///
/// A `Progress` is a set of positions, one bit each: bit i stands for "i segments are used up".
struct GlobAlternative: Sendable {
  typealias Progress = UInt64

  enum Segment: Sendable {
    case name(NamePattern)
    case anyDepth
  }

  private static let maximumSegments = 62

  private let segments: [Segment]
  /// Before the first component.
  let start: Progress
  /// The whole pattern is used up: what was read so far matches.
  let end: Progress
  /// Being here, every path below matches.
  let everythingBelow: Progress

  init(_ tokens: [GlobParser.Token], of parser: GlobParser) throws(GlobError) {
    var segments: [Segment] = []
    for part in tokens.split(whereSeparator: { if case .slash = $0 { true } else { false } }) {
      guard let segment = try Self.segment(Array(part), of: parser) else { continue }
      // `**/**` says no more than `**`.
      if case .anyDepth = segment, case .anyDepth? = segments.last { continue }
      segments.append(segment)
    }
    if case .anyDepth? = segments.last { segments.append(.name(NamePattern([.anything]))) }
    guard !segments.isEmpty else {
      throw parser.error(0, "it names the directory itself; write ** for every file below it")
    }
    guard segments.count <= Self.maximumSegments else {
      throw parser.error(0, "it has more than \(Self.maximumSegments) components; use ** for some of them")
    }
    self.init(segments)
  }

  /// `**`
  static let everything = GlobAlternative([.anyDepth, .name(NamePattern([.anything]))])

  private init(_ segments: [Segment]) {
    self.segments = segments
    start = Self.skippingAnyDepth(1, segments)
    end = 1 << UInt64(segments.count)
    if segments.count >= 2, case .name(let last) = segments[segments.count - 1], last.isEverything,
      case .anyDepth = segments[segments.count - 2]
    {
      everythingBelow = 1 << UInt64(segments.count - 2)
    } else {
      everythingBelow = 0
    }
  }

  private static func segment(
    _ tokens: [GlobParser.Token], of parser: GlobParser
  ) throws(GlobError) -> Segment? {
    var names: [NamePattern.Token] = []
    for token in tokens {
      switch token {
      case .name(let token): names.append(token)
      case .slash: continue
      case .anyDepth(let position):
        guard tokens.count == 1 else {
          throw parser.error(position, "** stands alone between slashes; write **/* or a single *")
        }
        return .anyDepth
      }
    }
    let dot = NamePattern.Token.literal(.dot)
    guard names != [dot, dot] else {
      throw parser.error(0, "a glob does not go up with ..; choose another root instead")
    }
    return names == [dot] ? nil : .name(NamePattern(names))
  }

  /// `**` may stand for no directory at all.
  private static func skippingAnyDepth(_ progress: Progress, _ segments: [Segment]) -> Progress {
    var progress = progress
    for (index, segment) in segments.enumerated() {
      if case .anyDepth = segment, progress & (1 << UInt64(index)) != 0 { progress |= 1 << UInt64(index + 1) }
    }
    return progress
  }

  /// Where one more component leads; nothing is left when the path cannot match any more.
  func advance(_ progress: Progress, _ name: UnsafeBufferPointer<UInt8>, hidden: Bool) -> Progress {
    let isOpen = hidden || name.first != .dot
    var next: Progress = 0
    var rest = progress & ~end
    while rest != 0 {
      let index = rest.trailingZeroBitCount
      rest &= rest - 1
      switch segments[index] {
      case .anyDepth:
        if isOpen { next |= 1 << UInt64(index) }
      case .name(let pattern):
        if (isOpen || pattern.namesHidden) && pattern.matches(name) { next |= 1 << UInt64(index + 1) }
      }
    }
    return Self.skippingAnyDepth(next, segments)
  }

  func matches(_ names: [String], hidden: Bool) -> Bool {
    var progress = start
    for name in names where progress != 0 {
      progress = withBytes(of: name) { advance(progress, $0, hidden: hidden) }
    }
    return progress & end != 0
  }
}

/// The UTF-8 of a text, without a copy where it is stored that way.
func withBytes<Result>(of text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
  var text = text
  return text.withUTF8(body)
}
