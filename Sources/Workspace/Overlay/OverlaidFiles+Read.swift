import Glibc

extension OverlaidFiles {
  func info(_ path: ProjectPath) throws(WorkspaceError) -> FileInfo {
    switch try findExisting(path, cannot: "look at") {
    case .disk(let place, let status): return FileInfo(path: place.path, status: status)
    case .node(let path, let node): return info(path, node)
    case .free(let path):
      throw WorkspaceError(SystemError(number: ENOENT), path: path.string, cannot: "look at")
    }
  }

  private func info(_ path: ProjectPath, _ node: Overlay.Node) -> FileInfo {
    switch node {
    case .file(_, let stamp, let mode): FileInfo(path: path, kind: .file, stamp: stamp, mode: mode)
    case .directory(let stamp): FileInfo(path: path, kind: .directory, stamp: stamp, mode: 0o777)
    case .removed:
      FileInfo(path: path, kind: .unknown, stamp: FileStamp(size: 0, modified: 0, inode: 0), mode: 0)
    }
  }

  func exists(_ path: ProjectPath) throws(WorkspaceError) -> Bool {
    do {
      if case .free = try find(path, cannot: "look at") { return false }
      return true
    } catch {
      if error.code == .notFound || error.code == .notDirectory { return false }
      throw error
    }
  }

  func open(_ path: ProjectPath) throws(WorkspaceError) -> OpenFile {
    let (path, content, stamp, _) = try file(path, cannot: "read")
    switch content {
    case .bytes(let bytes): return OpenFile(bytes, path: path, stamp: stamp)
    case .file(let original, let workspace):
      let file = try workspace.open(original)
      // As it is on the disk, unless it would be another file by now.
      return original == path && workspace === real ? file : OpenFile(file, path: path, stamp: stamp)
    }
  }

  func list(_ path: ProjectPath) throws(WorkspaceError) -> DirectoryListing {
    let action = "list"
    var listing = DirectoryListing(entries: [], problems: [])
    let directory: ProjectPath
    switch try findExisting(path, cannot: action) {
    case .disk(let place, _):
      listing = try real.list(path)
      directory = place.path
    case .node(let place, .directory): directory = place
    case .node, .free: throw .notDirectory(path.string, .file, cannot: action)
    }
    for (name, node) in overlay.children(of: place(of: directory)) {
      listing.entries.removeAll { $0.name == name }
      switch node {
      case .removed: break
      case .file: listing.entries.append(DirectoryEntry(name: name, kind: .file))
      case .directory: listing.entries.append(DirectoryEntry(name: name, kind: .directory))
      }
    }
    listing.entries.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    return listing
  }

  func walk(root: ProjectPath, globs: GlobSet, hidden: Bool) throws(WorkspaceError) -> Walker {
    let sight = try findExisting(root, cannot: "walk")
    switch sight {
    case .disk(let place, _):
      var walker = try real.walk(root: root, globs: globs, hidden: hidden)
      walker.overlaid = OverlaidWalk(self, root: root, at: place.path, globs: globs, hidden: hidden)
      return walker
    case .node(let place, .directory):
      var walker = Walker(nothingBelow: root, in: real)
      walker.overlaid = OverlaidWalk(self, root: root, at: place, globs: globs, hidden: hidden)
      return walker
    case .node, .free: throw .notDirectory(root.string, .file, cannot: "walk")
    }
  }
}

/// What an overlay changes of a walk: files on the disk that are not there any more, and afterwards those that were added.
struct OverlaidWalk: Sendable {
  private let overlay: Overlay
  private let root: ProjectPath
  private let place: ProjectPath
  private let globs: GlobSet
  private let hidden: Bool
  /// Where the state directory is, which no walk enters; nil where it is not below the root.
  private let state: ProjectPath?
  private var offered: Set<ProjectPath> = []
  /// Found and not offered yet, the next one last.
  private var pending: [WalkItem] = []

  fileprivate init(
    _ files: OverlaidFiles, root: ProjectPath, at path: ProjectPath, globs: GlobSet, hidden: Bool
  ) {
    overlay = files.overlay
    place = files.place(of: path)
    self.root = root
    self.globs = globs
    self.hidden = hidden
    state = files.real.stateBelowRoot
  }

  /// Whether a walk over the disk offers this as it is; what has changed comes later.
  func keeps(_ item: WalkItem) -> Bool {
    guard !overlay.isEmpty, case .file(_, let relative, _) = item else { return true }
    return overlay[ProjectPath(components: place.components + split(relative))] == nil
  }

  /// The next file that was added or changed; nil when there is none that was not offered.
  mutating func next() -> WalkItem? {
    if pending.isEmpty { look() }
    return pending.popLast()
  }

  private mutating func look() {
    for (path, stamp) in overlay.files(below: place).reversed() where offered.insert(path).inserted {
      guard let relative = path.relative(to: place), globs.matches(relative, hidden: hidden) else { continue }
      let whole = ProjectPath(components: root.components + split(relative))
      if whole.components.contains(where: Workspace.isProtected) { continue }
      if let state, whole.isWithin(state) { continue }
      pending.append(.file(path: whole, relative: relative, stamp: stamp))
    }
  }
}
