import Glibc
import Synchronization

/// What is to be watched.
package struct WatchOrder: Sendable {
  package var root: ProjectPath
  package var globs: GlobSet
  /// Whether names that begin with a dot are wanted.
  package var hidden: Bool
  /// Names that are reported although the globs do not want them.
  package var also: @Sendable (String) -> Bool
  /// How many directories may be watched at the most, besides what the kernel allows.
  package var mostDirectories: Int

  package init(
    root: ProjectPath = .root, globs: GlobSet = GlobSet(), hidden: Bool = false,
    also: @escaping @Sendable (String) -> Bool = { _ in false }, mostDirectories: Int = .max
  ) {
    self.root = root
    self.globs = globs
    self.hidden = hidden
    self.also = also
    self.mostDirectories = mostDirectories
  }
}

/// Watches a tree on a thread of its own.
///
/// Where the kernel cannot tell of all changes – network file systems, FUSE, too many directories – it says
/// `polling`, and whoever uses it has to walk the tree now and then; the root is looked after all the same.
/// File systems that are mounted below the root later on are only seen by walking too.
package final class TreeWatcher: TreeWatch {
  private let shared: Shared
  private let thread: Mutex<pthread_t?>

  fileprivate init(_ shared: Shared) throws(SystemError) {
    self.shared = shared
    thread = Mutex(try startThread { [shared] in WatchLoop(shared).run() })
  }

  deinit {
    shared.end()
    // Its thread ends by itself.
    if let thread = thread.withLock({ $0.take() }) { pthread_detach(thread) }
  }

  package func take() -> TreeNews {
    shared.news.withLock { news in
      defer { news = TreeNews() }
      return news
    }
  }

  package func close() {
    shared.end()
    if let thread = thread.withLock({ $0.take() }) { pthread_join(thread, nil) }
  }
}

extension Workspace {
  /// Watches a tree from now on: what is changed once this has returned is reported. Blocks.
  ///
  /// - Parameter notify: is called, on the watcher's thread, whenever there is something to take.
  package func watch(
    _ order: WatchOrder, notify: @escaping @Sendable () -> Void
  ) throws(WorkspaceError) -> TreeWatcher {
    try attempt(order.root, "watch") { () throws(SystemError) in
      let shared = try Shared(order, self, notify)
      shared.begin()
      return try TreeWatcher(shared)
    }
  }
}

/// What the watcher and its thread have in common.
private final class Shared: Sendable {
  let order: WatchOrder
  let workspace: Workspace
  let notify: @Sendable () -> Void
  let news = Mutex(TreeNews())
  /// What the thread begins with.
  let first = Mutex<WatchLoop.State?>(nil)
  /// Readable once the watch is to end.
  let ending: Descriptor
  private let endingWriter: Mutex<Descriptor?>

  init(
    _ order: WatchOrder, _ workspace: Workspace, _ notify: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    self.order = order
    self.workspace = workspace
    self.notify = notify
    var ends: [Int32] = [-1, -1]
    // A pipe would do, but cannot be made close-on-exec in one call from here.
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    try SystemCalls.check { socketpair(AF_UNIX, kind, 0, &ends) }
    ending = Descriptor(ends[0])
    endingWriter = Mutex(Descriptor(ends[1]))
  }

  /// Sets the watch up on the caller's thread, so that nothing is missed from now on.
  func begin() {
    first.withLock { $0 = WatchLoop.State(for: self) }
  }

  func end() { endingWriter.withLock { $0 = nil } }
}

/// The work of the watcher's thread.
private struct WatchLoop {
  /// How often it is checked whether the root is still there.
  private static let rootCheck: Int32 = 1000
  /// It is checked after so many readings too, since events may never cease.
  private static let mostReadings = 50
  private static let readingsAtOnce = 64
  /// So long, in milliseconds, more events may come before the next are read: many are then handled at once.
  private static let gathering: Int32 = 20

  /// How a tree is watched at the moment.
  ///
  /// `@unchecked Sendable`: made by one thread and handed over, once, to the one that uses it from then on.
  final class State: @unchecked Sendable {
    private let shared: Shared
    fileprivate private(set) var tree: WatchedTree?
    private var root: FileIdentity?
    /// Whether the root was seen on another device than the project: then it is a mounted file system.
    private var wasMounted = false
    private var isGone = false
    /// Whether it was told that the kernel watches.
    private var isWatching = false

    init(for shared: Shared) {
      self.shared = shared
      var news = TreeNews()
      begin(&news)
      shared.news.withLock { $0 = news }
    }

    /// Sets everything up anew.
    fileprivate func begin(_ news: inout TreeNews) {
      tree = nil
      root = nil
      do throws(WorkspaceError) {
        let (status, kind) = try look()
        root = FileIdentity(status)
        wasMounted = wasMounted || isOnOtherDevice(status)
        if isGone { news.notices.append(.rootBack) }
        isGone = false
        if let name = kind.remoteName {
          poll("the kernel does not tell of all changes on \(name)", &news)
        } else if !shared.workspace.capabilities.contains(.changeEvents) {
          poll("the kernel does not tell of changes here", &news)
        } else {
          try watch(&news)
        }
      } catch {
        lose(error, &news)
      }
    }

    private func watch(_ news: inout TreeNews) throws(WorkspaceError) {
      do throws(WatchFailure) {
        let tree = try WatchedTree(shared.order, in: shared.workspace)
        self.tree = tree
        root = tree.identity
        if !isWatching { news.notices.append(.watching(directories: tree.count)) }
        isWatching = true
      } catch {
        switch error {
        case .root(let error): throw error
        case .kernel(let why): poll(why, &news)
        }
      }
    }

    private func poll(_ why: String, _ news: inout TreeNews) {
      tree = nil
      isWatching = false
      news.notices.append(.polling(why: why))
    }

    /// Takes events; a tree that cannot be watched any more is polled.
    ///
    /// - Returns: Whether there may be more.
    fileprivate func read(into buffer: UnsafeMutableRawBufferPointer, _ news: inout TreeNews) -> Bool {
      guard let tree else { return false }
      do throws(WatchFailure) {
        let isMore = try tree.read(into: buffer, &news)
        // Directories may have come and gone unseen.
        guard tree.hasMissedEvents else { return isMore }
        begin(&news)
      } catch {
        if case .kernel(let why) = error { poll(why, &news) }
      }
      news.note(.overflow)
      return false
    }

    /// Checks whether the root is still the one that is watched.
    fileprivate func checkRoot(_ news: inout TreeNews) {
      do throws(WorkspaceError) {
        let (status, _) = try look()
        guard FileIdentity(status) != root || tree?.isRootInDoubt == true else { return }
        begin(&news)
        if !isGone { news.note(.rootReturned) }
      } catch {
        lose(error, &news)
      }
    }

    private func lose(_ error: WorkspaceError, _ news: inout TreeNews) {
      tree = nil
      root = nil
      isWatching = false
      if !isGone { news.notices.append(.rootGone(error)) }
      isGone = true
    }

    /// The root as it is now. Where a file system was mounted, the empty directory below it is not the root.
    private func look() throws(WorkspaceError) -> (stat, FileSystemKind) {
      let path = shared.order.root
      let (directory, _) = try shared.workspace.openDirectory(path, cannot: "watch")
      let found = try shared.workspace.attempt(path, "watch") { () throws(SystemError) in
        (try SystemCalls.status(of: directory), try FileSystemKind(of: directory))
      }
      guard !wasMounted || isOnOtherDevice(found.0) else {
        throw WorkspaceError(
          .notFound, path: path.string,
          "\(quoted(path.string)) is no longer the file system that was mounted there; mount it again")
      }
      return found
    }

    private func isOnOtherDevice(_ status: stat) -> Bool {
      (try? SystemCalls.status(of: shared.workspace.root)).map { $0.st_dev != status.st_dev } ?? false
    }
  }

  private let shared: Shared

  init(_ shared: Shared) {
    self.shared = shared
  }

  func run() {
    guard let state = shared.first.withLock({ $0.take() }) else { return }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 8)
    defer { buffer.deallocate() }
    if !shared.news.withLock({ $0.isEmpty }) { shared.notify() }
    var readings = 0
    while let hasEvents = wait(for: state.tree?.descriptor, atMost: Self.rootCheck) {
      var news = TreeNews()
      if hasEvents {
        // Not without end: what has come is told before more is read.
        var left = Self.readingsAtOnce
        while left > 0, state.read(into: buffer, &news) { left -= 1 }
      }
      readings += 1
      if !hasEvents || readings >= Self.mostReadings || state.tree?.isRootInDoubt == true {
        readings = 0
        state.checkRoot(&news)
      }
      if !news.isEmpty {
        shared.news.withLock { $0.add(news) }
        shared.notify()
      }
      guard wait(for: nil, atMost: Self.gathering) != nil else { return }
    }
  }

  /// Waits for events; nil when the watch is to end.
  private func wait(for events: Int32?, atMost milliseconds: Int32) -> Bool? {
    var polled = [pollfd(fd: shared.ending.number, events: Int16(POLLIN), revents: 0)]
    if let events { polled.append(pollfd(fd: events, events: Int16(POLLIN), revents: 0)) }
    let count = poll(&polled, nfds_t(polled.count), milliseconds)
    if polled[0].revents != 0 { return nil }
    return count > 0
  }
}

extension TreeNews {
  fileprivate mutating func add(_ later: TreeNews) {
    notices += later.notices
    if let reason = later.rescan {
      note(reason)
    } else {
      for path in later.changed { note(path) }
    }
  }
}

private func startThread(_ body: @escaping @Sendable () -> Void) throws(SystemError) -> pthread_t {
  final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  let work = Unmanaged.passRetained(Work(body))
  var thread = pthread_t()
  let failure = pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
      return nil
    }, work.toOpaque())
  guard failure == 0 else {
    work.release()
    throw SystemError(number: failure)
  }
  return thread
}
