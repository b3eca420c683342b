import Glibc

/// One thing that a walk came upon.
package enum WalkItem: Sendable, Hashable {
  /// A regular file that is wanted: its path in the project, the path from the walk's root, its stamp.
  case file(path: ProjectPath, relative: String, stamp: FileStamp)
  /// A place that could not be looked at; what may be there is unknown. `path` of the error says where.
  case problem(WorkspaceError)
}

/// Walks a tree and offers one file at a time; made by `Workspace.walk`.
///
/// The order is depth first, in each directory by the bytes of the names, so that two walks over the
/// same tree agree. A directory of more than 100,000 wanted entries is taken in pieces of that size as
/// the file system lists them, each piece sorted: a million files are never in memory. Any depth is
/// walked with at most 40 descriptors (and one more for each directory on the way that is taken in
/// pieces). Links are neither followed nor offered.
package struct Walker: ~Copyable, Sendable {
  static let maximumEntries = 100_000
  private static let minimumPiece = 1_000
  private static let openFrames = 32

  private let root: ProjectPath
  private let matcher: GlobMatcher
  private let state: FileIdentity?
  /// Where the state directory lies below the walk's root.
  private let stateRelative: String?
  private let rootDirectory: Descriptor

  private var frames: [WalkFrame] = []
  /// The path of the innermost frame from the walk's root, with a `/` at its end unless it is empty.
  private var location: [UInt8] = []
  /// Names kept in all frames together.
  private var buffered = 0
  private var problems: [WorkspaceError] = []
  /// What an overlay changes of it; nil without one.
  var overlaid: OverlaidWalk?

  fileprivate init(
    _ root: ProjectPath, matcher: GlobMatcher, state: FileIdentity?, stateRelative: String?,
    directory: Descriptor, frame: WalkFrame
  ) {
    self.root = root
    self.matcher = matcher
    self.state = state
    self.stateRelative = stateRelative
    rootDirectory = directory
    frames = [frame]
  }

  /// A walk that finds nothing on the disk.
  init(nothingBelow root: ProjectPath, in workspace: Workspace) {
    self.root = root
    matcher = GlobMatcher(GlobSet(), hidden: false)
    state = nil
    stateRelative = nil
    rootDirectory = workspace.root
  }

  /// The next file or problem; nil when the walk is over.
  package mutating func next() -> WalkItem? {
    while let item = nextOnDisk() {
      if overlaid?.keeps(item) != false { return item }
    }
    return overlaid?.next()
  }

  private mutating func nextOnDisk() -> WalkItem? {
    while true {
      if let problem = problems.popLast() { return .problem(problem) }
      guard let top = frames.indices.last else { return nil }
      if let entry = frames[top].next() {
        if let item = look(at: entry) { return item }
      } else if frames[top].stream != nil {
        fill(top)
      } else {
        leave()
      }
    }
  }

  // MARK: - Entries

  private mutating func look(at entry: WalkEntry) -> WalkItem? {
    let path = fullPath(entry.name)
    guard entry.isText else { return .problem(.notUTF8(path)) }
    guard let directory = frames[frames.count - 1].directory else {
      return .problem(.changed(path, cannot: "look at"))
    }
    do {
      if entry.kind == .directory {
        try enter(entry.name, in: directory)
        return nil
      }
      let status = try SystemCalls.status(of: entry.name, in: directory)
      guard FileKind(mode: status.st_mode) == .file else {
        return .problem(.changed(path, cannot: "look at"))
      }
      return .file(
        path: ProjectPath(normalized: path), relative: relative(entry.name), stamp: FileStamp(status))
    } catch {
      return .problem(failure(error, path, cannot: entry.kind == .directory ? "list" : "look at"))
    }
  }

  private mutating func enter(_ name: String, in parent: Descriptor) throws(SystemError) {
    guard let globs = withBytes(of: name, { matcher.enter($0, from: frames[frames.count - 1].globs) })
    else { return }
    let directory = try SystemCalls.open(name, in: parent, SystemCalls.directory)
    let start = location.count
    let frame = try WalkFrame(directory, start: start, globs: globs)
    guard frame.identity != state else { return }
    location += Array(name.utf8)
    guard stateRelative == nil || stateRelative?.utf8.elementsEqual(location) == false else {
      location.removeLast(location.count - start)
      return
    }
    location.append(.slash)
    frames.append(frame)
    if frames.count > Self.openFrames { frames[frames.count - 1 - Self.openFrames].directory = nil }
  }

  // MARK: - Directories

  /// Reads the next piece of a directory's names, keeping those that may be wanted.
  private mutating func fill(_ index: Int) {
    guard let stream = frames[index].stream, let directory = frames[index].directory else { return }
    buffered -= frames[index].entries.count
    let limit = max(Self.minimumPiece, Self.maximumEntries - buffered)
    var entries: [WalkEntry] = []
    var isOver = false
    do throws(SystemError) {
      while entries.count < limit {
        guard let raw = try stream.next() else {
          isOver = true
          break
        }
        frames[index].hasNames = true
        if let entry = try candidate(raw, in: directory, frames[index].globs) { entries.append(entry) }
      }
    } catch {
      isOver = true
      problems.append(failure(error, directoryPath, cannot: "list"))
    }
    if isOver {
      frames[index].stream = nil
      if !frames[index].hasNames && DirectoryStream.isRemoved(directory) {
        problems.append(failure(SystemError(number: ENOENT), directoryPath, cannot: "list"))
      }
    }
    entries.sort { precedes($0.name, $1.name) }
    buffered += entries.count
    frames[index].replace(entries)
  }

  /// Whether a name has to be looked at: a file that is wanted, or a directory that may hold one.
  private mutating func candidate(
    _ raw: RawEntry, in directory: Descriptor, _ globs: GlobMatcher.State
  ) throws(SystemError) -> WalkEntry? {
    let kind: FileKind
    if let known = raw.kind {
      kind = known
    } else {
      do {
        kind = FileKind(mode: try raw.status(in: directory).st_mode)
      } catch {
        problems.append(failure(error, fullPath(repaired(raw.name)), cannot: "look at"))
        return nil
      }
    }
    let isWanted = raw.name.withUnsafeBufferPointer { name in
      guard !Workspace.isProtected(name) else { return false }
      return switch kind {
      case .file: matcher.takesFile(name, in: globs)
      case .directory: matcher.enter(name, from: globs) != nil
      case .link, .pipe, .socket, .device, .unknown: false
      }
    }
    guard isWanted else { return nil }
    let text = raw.text
    return WalkEntry(name: text ?? repaired(raw.name), kind: kind, isText: text != nil)
  }

  /// Goes back to the directory above; its descriptor may have been given up on the way down.
  private mutating func leave() {
    guard let child = frames.popLast() else { return }
    buffered -= child.entries.count
    location.removeLast(location.count - child.start)
    guard let top = frames.indices.last, frames[top].directory == nil else { return }
    do {
      frames[top].directory = try reopen(frames[top].identity, from: child)
    } catch {
      let left = frames[top].giveUp()
      buffered -= left
      problems.append(
        WorkspaceError(
          .changed, path: directoryPath,
          "\(quoted(directoryPath)) was moved or removed while it was walked (\(error.text)); "
            + "what was left of it was not looked at; run again",
          systemError: error.number))
    }
  }

  /// The directory above, by `..` where that is still the same one, else by its path.
  private func reopen(
    _ identity: FileIdentity, from child: WalkFrame
  ) throws(SystemError) -> Descriptor {
    if let directory = child.directory,
      let above = try? SystemCalls.open("..", in: directory, SystemCalls.directory),
      let status = try? SystemCalls.status(of: above), FileIdentity(status) == identity
    {
      return above
    }
    var directory = rootDirectory
    for name in split(String(decoding: location, as: UTF8.self)) {
      directory = try SystemCalls.open(name, in: directory, SystemCalls.directory)
    }
    guard FileIdentity(try SystemCalls.status(of: directory)) == identity else {
      throw SystemError(number: ENOENT)
    }
    return directory
  }

  // MARK: - Paths and errors

  private func relative(_ name: String) -> String {
    location.isEmpty ? name : String(decoding: location, as: UTF8.self) + name
  }

  private func fullPath(_ name: String) -> String {
    root.isRoot ? relative(name) : root.string + "/" + relative(name)
  }

  private var directoryPath: String {
    location.isEmpty ? root.string : split(fullPath("")).joined(separator: "/")
  }

  private func failure(_ error: SystemError, _ path: String, cannot action: String) -> WorkspaceError {
    guard error.number == ENOENT else { return WorkspaceError(error, path: path, cannot: action) }
    return WorkspaceError(
      .vanished, path: path,
      "\(quoted(path)) was there when its directory was listed and is gone now; "
        + "if it was moved within the project, run again",
      systemError: error.number)
  }
}

/// Whether the bytes of a name come before another's. What `memcmp` says in a fraction of the time.
private func precedes(_ a: String, _ b: String) -> Bool {
  withBytes(of: a) { a in
    withBytes(of: b) { b in
      guard let left = a.baseAddress, let right = b.baseAddress else { return a.count < b.count }
      let order = memcmp(left, right, min(a.count, b.count))
      return order == 0 ? a.count < b.count : order < 0
    }
  }
}

extension Workspace {
  /// Walks the files below `root` that `globs` wants, without links and what is never seen.
  ///
  /// `globs` match the path from `root`. Names that begin with a dot are left out unless `hidden` is
  /// true or an include names the dot. Throws when the root is missing, no directory, protected or
  /// cannot be listed; everything below that cannot be looked at is a `problem` of the walk.
  package func walk(
    root: ProjectPath = .root, globs: GlobSet = GlobSet(), hidden: Bool = false
  ) throws(WorkspaceError) -> Walker {
    if let overlaid { return try overlaid.walk(root: root, globs: globs, hidden: hidden) }
    let action = "walk"
    let (directory, place) = try openDirectory(root, cannot: action)
    let matcher = GlobMatcher(globs, hidden: hidden)
    let frame = try attempt(root, action) { () throws(SystemError) in
      try WalkFrame(directory, start: 0, globs: matcher.start)
    }
    return Walker(
      root, matcher: matcher, state: stateIdentity(),
      stateRelative: stateBelowRoot?.relative(to: place.path), directory: directory, frame: frame)
  }
}
