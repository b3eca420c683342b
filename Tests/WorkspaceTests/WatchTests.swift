import Foundation
import Glibc
import Synchronization
import Testing
import Workspace

/// A watch whose news are gathered until they are as expected.
private final class Lookout {
  private let watcher: TreeWatcher
  private let rings: AsyncStream<Void>
  private(set) var news = TreeNews()

  /// - Parameter held: is called on the watcher's thread before news are told.
  init(
    _ project: TemporaryProject, _ order: WatchOrder, capabilities: FileSystemCapabilities = .all,
    held: @escaping @Sendable () -> Void = {}
  ) throws {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    rings = stream
    watcher = try project.workspace(capabilities: capabilities).watch(order) {
      held()
      continuation.yield()
    }
  }

  deinit { watcher.close() }

  /// Waits until what was told since the last `forget` is as expected.
  func until(_ isExpected: (TreeNews) -> Bool) async {
    gather()
    if isExpected(news) { return }
    for await _ in rings {
      gather()
      if isExpected(news) { return }
    }
  }

  func until(changed path: String) async throws {
    let path = try ProjectPath(path)
    await until { $0.changed.contains(path) }
  }

  func forget() {
    gather()
    news = TreeNews()
  }

  private func gather() {
    let more = watcher.take()
    news.changed.formUnion(more.changed)
    news.notices += more.notices
    news.rescan = more.rescan ?? news.rescan
  }

  var paths: [String] { news.changed.map(\.string).sorted() }
}

extension TreeNews {
  fileprivate var isWatching: Bool {
    notices.contains { if case .watching = $0 { true } else { false } }
  }

  fileprivate var isPolling: Bool {
    notices.contains { if case .polling = $0 { true } else { false } }
  }

  fileprivate var isRootGone: Bool {
    notices.contains { if case .rootGone = $0 { true } else { false } }
  }
}

@Suite("A watched tree", .timeLimit(.minutes(2)))
struct WatchTests {
  private func order(_ include: [String] = [], exclude: [String] = []) throws -> WatchOrder {
    WatchOrder(root: try path("in"), globs: try GlobSet(include: include, exclude: exclude))
  }

  private func move(_ old: String, _ new: String, in project: TemporaryProject) throws {
    try FileManager.default.moveItem(
      atPath: project.directory + "/" + old, toPath: project.directory + "/" + new)
  }

  @Test("tells of files that are made, renamed in and out, and removed, and of nothing before")
  func changes() async throws {
    let project = try TemporaryProject().make("in/old.md", "in/sub/old.md", "aside/moved.md")
    let lookout = try Lookout(project, order())
    try project.make("in/new.md", "in/sub/new.md")
    try move("aside/moved.md", "in/moved.md", in: project)
    try move("in/sub/old.md", "aside/old.md", in: project)
    try FileManager.default.removeItem(atPath: project.directory + "/in/old.md")
    try project.make("in/last.md")
    try await lookout.until(changed: "in/last.md")
    #expect(
      lookout.paths == [
        "in/last.md", "in/moved.md", "in/new.md", "in/old.md", "in/sub/new.md", "in/sub/old.md",
      ])
    #expect(lookout.news.isWatching && lookout.news.rescan == nil)
  }

  @Test("follows directories that are made, moved in and renamed, with what is in them")
  func directories() async throws {
    let project = try TemporaryProject().make("in/", "aside/deep/er/a.md", "aside/deep/b.md")
    let lookout = try Lookout(project, order())
    try project.make("in/x/y/z/new.md")
    try await lookout.until(changed: "in/x/y/z/new.md")
    try move("aside/deep", "in/deep", in: project)
    try await lookout.until(changed: "in/deep/er/a.md")
    try await lookout.until(changed: "in/deep/b.md")
    try move("in/deep", "in/renamed", in: project)
    try await lookout.until(changed: "in/renamed/er/a.md")
    lookout.forget()
    try project.make("in/renamed/er/c.md", "in/x/y/d.md")
    try await lookout.until(changed: "in/renamed/er/c.md")
    try await lookout.until(changed: "in/x/y/d.md")
    #expect(!lookout.paths.contains { $0.hasPrefix("in/deep") }, "\(lookout.paths)")
  }

  @Test("tells nothing of what is not wanted, links, and Moontide's own files, but of markers")
  func unwanted() async throws {
    let project = try TemporaryProject().make("in/", "in/drafts/", ".moontide/", "in/.hidden/")
    var order = try order(["**/*.md"], exclude: ["drafts/**"])
    order.also = { $0.hasSuffix(".done") }
    let lookout = try Lookout(project, order)
    try project.make("in/a.txt", "in/drafts/a.md", "in/.hidden/a.md", "in/.b.md", ".moontide/a.md")
    try project.make("in/a.txt.done", "in/last.md")
    try await lookout.until(changed: "in/last.md")
    #expect(lookout.paths == ["in/a.txt.done", "in/last.md"])
  }

  @Test("says so when the kernel dropped events, and misses nothing from then on")
  func overflow() async throws {
    let project = try TemporaryProject.large().make("in/")
    let gate = DispatchSemaphore(value: 0)
    let isHeld = Atomic(false)
    let (held, continuation) = AsyncStream.makeStream(of: Void.self)
    let watched = try Lookout(project, order()) {
      // The reader stands still here, and the kernel's queue fills up.
      if isHeld.compareExchange(expected: true, desired: false, ordering: .relaxed).exchanged {
        continuation.yield()
        gate.wait()
      }
    }
    await watched.until(\.isWatching)
    isHeld.store(true, ordering: .relaxed)
    try project.make("in/first.md")
    for await _ in held { break }
    let limit = try #require(
      Int(
        String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
          .trimmingCharacters(in: .whitespacesAndNewlines)))
    // Each makes two events at least.
    for number in 0...(limit / 2) {
      close(open("\(project.directory)/in/\(number).md", O_CREAT | O_WRONLY, 0o644))
    }
    try project.make("in/unseen/below/a.md")
    gate.signal()
    await watched.until { $0.rescan == .overflow }
    watched.forget()
    try project.make("in/unseen/below/b.md")
    try await watched.until(changed: "in/unseen/below/b.md")
  }

  @Test("waits for a root that is gone, whether it was removed or an ancestor was renamed")
  func root() async throws {
    let project = try TemporaryProject().make("up/in/a.md")
    var order = try order()
    order.root = try path("up/in")
    let lookout = try Lookout(project, order)
    await lookout.until(\.isWatching)
    try move("up", "down", in: project)
    await lookout.until(\.isRootGone)
    lookout.forget()
    try move("down", "up", in: project)
    await lookout.until { $0.notices.contains(.rootBack) && $0.rescan == .rootReturned }
    try FileManager.default.removeItem(atPath: project.directory + "/up/in")
    await lookout.until(\.isRootGone)
    lookout.forget()
    try project.make("up/in/b.md")
    await lookout.until { $0.rescan == .rootReturned }
    try project.make("up/in/c.md")
    try await lookout.until(changed: "up/in/c.md")
  }

  @Test("does not take the empty directory below an unmounted file system for the root")
  func unmounted() async throws {
    let project = try TemporaryProject().make("in/")
    let root = project.directory + "/in"
    // Only the super-user may mount; and it may be forbidden to him too.
    guard mount("none", root, "tmpfs", 0, nil) == 0 else { return }
    defer { umount2(root, Int32(MNT_DETACH)) }
    try project.make("in/a.md")
    let lookout = try Lookout(project, order())
    await lookout.until(\.isWatching)
    #expect(umount2(root, 0) == 0, "the watch keeps the file system from being unmounted")
    await lookout.until(\.isRootGone)
    lookout.forget()
    try #require(mount("none", root, "tmpfs", 0, nil) == 0)
    try project.make("in/b.md")
    await lookout.until { $0.notices.contains(.rootBack) && $0.rescan == .rootReturned }
  }

  @Test(
    "polls when there are more directories than can be watched, also later on, and where the kernel is silent"
  )
  func polling() async throws {
    let project = try TemporaryProject().make("in/a/", "in/b/")
    var order = try order()
    order.mostDirectories = 2
    try await Lookout(project, order).until(\.isPolling)
    order.mostDirectories = 3
    let later = try Lookout(project, order)
    await later.until(\.isWatching)
    try project.make("in/c/")
    await later.until { $0.isPolling && $0.rescan != nil }
    order.mostDirectories = .max
    let silent = try Lookout(
      project, order, capabilities: FileSystemCapabilities.all.subtracting(.changeEvents))
    await silent.until(\.isPolling)
  }

  @Test("leaves no queue of the kernel's behind when it is closed, or let go")
  func leaks() async throws {
    let project = try TemporaryProject().make("in/a/")
    // A user has 128 of them.
    for number in 0..<300 {
      let lookout = try Lookout(project, order())
      await lookout.until { $0.isWatching || $0.isPolling }
      #expect(lookout.news.isWatching, "\(number)")
    }
  }

  @Test(
    "Network file systems are known by their number",
    arguments: [(0x6969, "nfs"), (0x6573_5546, "fuse"), (0xEF53, nil)])
  func fileSystems(magic: Int, name: String?) {
    #expect(FileSystemKind(magic: UInt32(magic)).remoteName == name)
  }
}
