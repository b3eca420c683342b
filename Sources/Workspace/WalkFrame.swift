/// A name that a walk has still to look at.
struct WalkEntry {
  let name: String
  let kind: FileKind
  /// False when the name is not UTF-8 and `name` is only what can be shown of it.
  let isText: Bool
}

/// One directory on the way from a walk's root to where it is.
struct WalkFrame {
  let identity: FileIdentity
  /// The length of the walk's `location` before this directory's name was added.
  let start: Int
  let globs: GlobMatcher.State
  /// Nil while the walk is far below; it is opened again on the way back.
  var directory: Descriptor?
  /// Nil once all names were read.
  var stream: DirectoryStream?
  /// Whether anything was listed at all.
  var hasNames = false
  private(set) var entries: [WalkEntry] = []
  private var index = 0

  init(_ directory: Descriptor, start: Int, globs: GlobMatcher.State) throws(SystemError) {
    self.directory = directory
    identity = FileIdentity(try SystemCalls.status(of: directory))
    stream = try DirectoryStream(directory)
    self.start = start
    self.globs = globs
  }

  mutating func next() -> WalkEntry? {
    guard index < entries.count else { return nil }
    defer { index += 1 }
    return entries[index]
  }

  mutating func replace(_ entries: [WalkEntry]) {
    self.entries = entries
    index = 0
  }

  /// Drops what is left, and tells how many names were kept.
  mutating func giveUp() -> Int {
    let count = entries.count
    stream = nil
    replace([])
    return count
  }
}
