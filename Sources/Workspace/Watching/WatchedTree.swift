import Glibc

/// A directory that the kernel watches.
private final class WatchedDirectory {
  let watch: Int32
  let name: String
  let globs: GlobMatcher.State
  private(set) weak var parent: WatchedDirectory?
  var children: [String: WatchedDirectory] = [:]

  init(watch: Int32, name: String, globs: GlobMatcher.State, parent: WatchedDirectory?) {
    self.watch = watch
    self.name = name
    self.globs = globs
    self.parent = parent
  }

  /// Whether this is another directory, or lies in it.
  func isWithin(_ other: WatchedDirectory) -> Bool {
    var directory: WatchedDirectory? = self
    while let next = directory {
      if next === other { return true }
      directory = next.parent
    }
    return false
  }

  /// The names from the root of the tree, without the root's own.
  var components: [String] {
    var names: [String] = []
    var directory = self
    while let parent = directory.parent {
      names.append(directory.name)
      directory = parent
    }
    return names.reversed()
  }
}

/// Why a tree cannot be watched.
enum WatchFailure: Error {
  case root(WorkspaceError)
  /// The kernel has nothing left to watch with, or cannot.
  case kernel(String)
}

/// The directories below a root that may hold what is wanted, each watched by the kernel.
///
/// A directory is watched before it is listed, so that nothing can come into it unseen. No descriptor stays open
/// but the queue's: a file system below the root can be unmounted. Used by one thread.
final class WatchedTree {
  private let order: WatchOrder
  private let workspace: Workspace
  private let matcher: GlobMatcher
  private let queue: InotifyQueue
  private let stateBelowRoot: String?
  private let root: WatchedDirectory
  private var directories: [Int32: WatchedDirectory] = [:]
  /// What the root was when the watch began.
  let identity: FileIdentity

  /// Whether the root may be another directory by now, or gone.
  private(set) var isRootInDoubt = false
  /// Whether the kernel dropped events: then directories may have come and gone unseen.
  private(set) var hasMissedEvents = false

  /// Begins to watch all directories that are there now.
  init(_ order: WatchOrder, in workspace: Workspace) throws(WatchFailure) {
    self.order = order
    self.workspace = workspace
    matcher = GlobMatcher(order.globs, hidden: order.hidden)
    let directory: Descriptor
    do throws(WorkspaceError) {
      let (descriptor, place) = try workspace.openDirectory(order.root, cannot: "watch")
      directory = descriptor
      stateBelowRoot = workspace.stateBelowRoot?.relative(to: place.path)
    } catch {
      throw .root(error)
    }
    do throws(SystemError) {
      identity = FileIdentity(try SystemCalls.status(of: directory))
      queue = try InotifyQueue()
      let watch = try queue.add(directory)
      root = WatchedDirectory(watch: watch, name: "", globs: matcher.start, parent: nil)
      directories[watch] = root
    } catch {
      throw Self.failure(error)
    }
    var ignored = TreeNews()
    try list(directory, root, reporting: false, into: &ignored)
  }

  var count: Int { directories.count }
  var descriptor: Int32 { queue.descriptor.number }

  /// Takes what the kernel has to tell. Throws when new directories cannot be watched.
  ///
  /// - Returns: Whether there was anything.
  func read(into buffer: UnsafeMutableRawBufferPointer, _ news: inout TreeNews) throws(WatchFailure) -> Bool {
    let events = queue.read(into: buffer)
    for event in events { try take(event, into: &news) }
    return !events.isEmpty
  }

  // MARK: - Events

  private func take(_ event: InotifyEvent, into news: inout TreeNews) throws(WatchFailure) {
    if event.has(Int(IN_Q_OVERFLOW)) {
      hasMissedEvents = true
      return
    }
    guard let directory = directories[event.watch] else { return }
    guard !event.name.isEmpty else {
      takeOwn(event, of: directory)
      return
    }
    // What is not text has no path; the walk reports it.
    guard let name = String(validating: event.name, as: UTF8.self) else { return }
    guard event.has(Int(IN_ISDIR)) else {
      if isWanted(name, in: directory), let path = path(directory.components + [name]) { news.note(path) }
      return
    }
    if event.has(Int(IN_CREATE | IN_MOVED_TO)) {
      try enter(name, in: directory, into: &news)
    } else if event.has(Int(IN_MOVED_FROM | IN_DELETE)) {
      if let child = directory.children[name] { forget(child) }
    } else if directory.children[name] == nil {
      // It may be readable now.
      try enter(name, in: directory, into: &news)
    }
  }

  private func takeOwn(_ event: InotifyEvent, of directory: WatchedDirectory) {
    if directory === root, event.has(Int(IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) {
      isRootInDoubt = true
    } else if event.has(Int(IN_IGNORED)) {
      forget(directory)
    }
  }

  private func isWanted(_ name: String, in directory: WatchedDirectory) -> Bool {
    guard !Workspace.isProtected(name) else { return false }
    return withBytes(of: name) { matcher.takesFile($0, in: directory.globs) } || order.also(name)
  }

  private func path(_ components: [String]) -> ProjectPath? {
    ProjectPath(components: order.root.components + components)
  }

  // MARK: - Directories

  /// Watches a directory that came, with all below it, and reports the files in them.
  private func enter(
    _ name: String, in parent: WatchedDirectory, into news: inout TreeNews
  ) throws(WatchFailure) {
    if let directory = open(parent.components + [name]),
      let child = try attach(directory, name, parent)
    {
      try list(directory, child, reporting: true, into: &news)
    }
  }

  /// Lists a directory and watches those below it. What cannot be looked at is left to the walk to report.
  private func list(
    _ descriptor: Descriptor, _ directory: WatchedDirectory, reporting: Bool, into news: inout TreeNews
  ) throws(WatchFailure) {
    var pending: [(WatchedDirectory, Descriptor?)] = [(directory, descriptor)]
    while let (directory, open) = pending.popLast() {
      let components = directory.components
      guard let descriptor = open ?? self.open(components),
        let stream = try? DirectoryStream(descriptor)
      else { continue }
      while let entry = (try? stream.next()) ?? nil {
        guard let name = entry.text,
          let kind = entry.kind
            ?? (try? entry.status(in: descriptor)).map({ FileKind(mode: $0.st_mode) })
        else { continue }
        switch kind {
        case .directory:
          guard let child = try? SystemCalls.open(name, in: descriptor, SystemCalls.directory),
            let node = try attach(child, name, directory)
          else { continue }
          // Opened again in its turn: only one descriptor at a time, however wide the tree is.
          pending.append((node, nil))
        case .file where reporting && isWanted(name, in: directory):
          if let path = path(components + [name]) { news.note(path) }
        case .file, .link, .pipe, .socket, .device, .unknown: continue
        }
      }
    }
  }

  /// Watches a directory; nil when nothing in it can be wanted, or it cannot be watched.
  private func attach(
    _ descriptor: Descriptor, _ name: String, _ parent: WatchedDirectory
  ) throws(WatchFailure) -> WatchedDirectory? {
    guard !Workspace.isProtected(name),
      let globs = withBytes(of: name, { matcher.enter($0, from: parent.globs) }),
      let status = try? SystemCalls.status(of: descriptor), FileIdentity(status) != workspace.stateIdentity(),
      stateBelowRoot == nil || stateBelowRoot != (parent.components + [name]).joined(separator: "/")
    else { return nil }
    guard directories.count < order.mostDirectories else { throw .kernel(Self.limitReached) }
    let watch: Int32
    do throws(SystemError) {
      watch = try queue.add(descriptor)
    } catch {
      // Gone again, or not readable to us.
      if [ENOENT, EACCES, ENOTDIR, EPERM].contains(error.number) { return nil }
      throw Self.failure(error)
    }
    // The same directory under another name: it was moved, and the news of that is still to come.
    if let old = directories[watch] {
      // Unless it is one that this lies in, mounted once more.
      guard !parent.isWithin(old) else { return nil }
      forget(old, keepingWatch: true)
    }
    if let old = parent.children[name] { forget(old) }
    let directory = WatchedDirectory(watch: watch, name: name, globs: globs, parent: parent)
    parent.children[name] = directory
    directories[watch] = directory
    return directory
  }

  /// Ends the watches of a directory and of all below it.
  private func forget(_ directory: WatchedDirectory, keepingWatch: Bool = false) {
    if let parent = directory.parent, parent.children[directory.name] === directory {
      parent.children[directory.name] = nil
    }
    var pending = [directory]
    while let next = pending.popLast() {
      pending += next.children.values
      next.children = [:]
      directories[next.watch] = nil
      if !(keepingWatch && next === directory) { queue.remove(next.watch) }
    }
  }

  /// Opens a directory below the root, component by component, following no link.
  private func open(_ components: [String]) -> Descriptor? {
    guard var directory = try? workspace.openDirectory(order.root, cannot: "watch").0 else { return nil }
    for name in components {
      guard let next = try? SystemCalls.open(name, in: directory, SystemCalls.directory) else { return nil }
      directory = next
    }
    return directory
  }

  // MARK: - Failures

  private static func failure(_ error: SystemError) -> WatchFailure {
    switch error.number {
    case ENOSPC: .kernel(limitReached)
    case EMFILE: .kernel("too many watches are open (fs.inotify.max_user_instances); raise it with sysctl")
    default: .kernel("the kernel cannot watch here: \(error.text)")
    }
  }

  private static let limitReached =
    "the limit of directories that the kernel watches (fs.inotify.max_user_watches) is reached; raise it with sysctl"
}
