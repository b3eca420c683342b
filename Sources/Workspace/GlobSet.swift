/// Which files of a tree are wanted: those that an include matches and no exclude.
///
/// An exclude that matches a directory leaves out everything below it. Excludes see hidden names
/// without being asked to.
package struct GlobSet: Sendable, Hashable {
  package let include: [Glob]
  package let exclude: [Glob]

  /// Everything: `**`, nothing excluded.
  package init() {
    include = []
    exclude = []
  }

  /// No `include` means everything. Throws what `Glob` throws.
  package init(include: [String], exclude: [String] = []) throws(GlobError) {
    self.init(include: try Self.compile(include), exclude: try Self.compile(exclude))
  }

  package init(include: [Glob], exclude: [Glob] = []) {
    self.include = include
    self.exclude = exclude
  }

  private static func compile(_ patterns: [String]) throws(GlobError) -> [Glob] {
    var globs: [Glob] = []
    for pattern in patterns { globs.append(try Glob(pattern)) }
    return globs
  }

  /// Whether a file at this relative path is wanted.
  package func matches(_ relative: String, hidden: Bool = false) -> Bool {
    let matcher = GlobMatcher(self, hidden: hidden)
    var state = matcher.start
    let names = split(relative)
    for (index, name) in names.enumerated() {
      if index == names.count - 1 { return withBytes(of: name) { matcher.takesFile($0, in: state) } }
      guard let next = withBytes(of: name, { matcher.enter($0, from: state) }) else { return false }
      state = next
    }
    return false
  }

  /// Whether nothing below this directory can be wanted, so that it need not be read.
  package func canPrune(_ relative: String, hidden: Bool = false) -> Bool {
    let matcher = GlobMatcher(self, hidden: hidden)
    var state = matcher.start
    for name in split(relative) where name != "." {
      guard let next = withBytes(of: name, { matcher.enter($0, from: state) }) else { return true }
      state = next
    }
    return false
  }

  /// The first exclude that leaves out this relative path, itself or by a directory on the way.
  package func excluding(_ relative: String) -> Glob? {
    let names = split(relative)
    return exclude.first { glob in
      glob.alternatives.contains { alternative in
        (1...max(names.count, 1)).contains { alternative.matches(Array(names.prefix($0)), hidden: true) }
      }
    }
  }
}

/// A `GlobSet` made ready to follow a walk, one component at a time.
struct GlobMatcher: Sendable {
  /// How far every alternative has come, in the order of the matcher's lists.
  struct State: Sendable {
    fileprivate var include: [GlobAlternative.Progress]
    fileprivate var exclude: [GlobAlternative.Progress]
  }

  private let include: [GlobAlternative]
  private let exclude: [GlobAlternative]
  private let hidden: Bool

  let start: State

  init(_ set: GlobSet, hidden: Bool) {
    include = set.include.isEmpty ? [.everything] : set.include.flatMap(\.alternatives)
    exclude = set.exclude.flatMap(\.alternatives)
    self.hidden = hidden
    start = State(include: include.map(\.start), exclude: exclude.map(\.start))
  }

  /// Whether a file of this name, in the directory of `state`, is wanted.
  func takesFile(_ name: UnsafeBufferPointer<UInt8>, in state: State) -> Bool {
    for (index, alternative) in exclude.enumerated()
    where alternative.advance(state.exclude[index], name, hidden: true) & alternative.end != 0 {
      return false
    }
    for (index, alternative) in include.enumerated()
    where alternative.advance(state.include[index], name, hidden: hidden) & alternative.end != 0 {
      return true
    }
    return false
  }

  /// The state in a directory of this name; nil when nothing below it can be wanted.
  func enter(_ name: UnsafeBufferPointer<UInt8>, from state: State) -> State? {
    var next = state
    for (index, alternative) in exclude.enumerated() {
      let progress = alternative.advance(state.exclude[index], name, hidden: true)
      if progress & (alternative.end | alternative.everythingBelow) != 0 { return nil }
      next.exclude[index] = progress
    }
    var isAlive = false
    for (index, alternative) in include.enumerated() {
      next.include[index] = alternative.advance(state.include[index], name, hidden: hidden)
      isAlive = isAlive || next.include[index] & ~alternative.end != 0
    }
    return isAlive ? next : nil
  }
}
