import Synchronization

/// Changes of files that are kept in memory, for a dry run: what it writes, moves and removes stays here.
///
/// Places are paths from the root of the file system, links resolved, so that a project and what lies outside of it
/// can share an overlay. Directories are only ever added: nothing moves or removes one.
package final class Overlay: Sendable {
  /// One change, as people are told of it; paths are relative to the project, or absolute outside of it.
  package enum Change: Hashable, Sendable {
    case write(String)
    case makeDirectory(String)
    case move(from: String, to: String)
    case copy(from: String, to: String)
    case remove(String)
  }

  /// Where the bytes of a file are.
  enum Content: Sendable {
    case file(ProjectPath, in: Workspace)
    case bytes([UInt8])
  }

  /// What is at a place that has changed.
  enum Node: Sendable {
    /// Nothing any more.
    case removed
    case file(Content, FileStamp, mode: UInt32)
    case directory(FileStamp)

    /// The bytes that it keeps in memory.
    fileprivate var weight: Int {
      if case .file(.bytes(let bytes), _, _) = self { bytes.count } else { 0 }
    }
  }

  private struct State {
    var nodes: [ProjectPath: Node] = [:]
    /// The names of the places that have changed, by their directory.
    var names: [ProjectPath: Set<String>] = [:]
    var changes: [Change] = []
    /// Bytes of files that are kept.
    var weight = 0
    /// Above what file systems give out.
    var nextInode = UInt64(1) << 62
  }

  /// How many bytes of what is written are kept by an overlay that is not told otherwise.
  package static let standardCapacity = 256 << 20

  /// How many bytes of what is written are meant to be kept; those who write ask whether there is room.
  package let capacity: Int
  private let state = Mutex(State())
  private let now: @Sendable () -> Int64

  /// - Parameter now: the time of day in nanoseconds since 1970, for what is written.
  package init(capacity: Int = Overlay.standardCapacity, now: @escaping @Sendable () -> Int64) {
    self.capacity = capacity
    self.now = now
  }

  /// Whether so many bytes more may be written.
  package func hasRoom(for count: Int) -> Bool {
    state.withLock { count <= capacity - $0.weight }
  }

  /// The changes since this was asked last, in their order.
  package func takeChanges() -> [Change] {
    state.withLock { state in
      defer { state.changes = [] }
      return state.changes
    }
  }

  subscript(place: ProjectPath) -> Node? { state.withLock { $0.nodes[place] } }

  /// Whether nothing has changed so far.
  var isEmpty: Bool { state.withLock { $0.nodes.isEmpty } }

  func set(_ place: ProjectPath, _ node: Node) {
    state.withLock { state in
      let old = state.nodes.updateValue(node, forKey: place)
      state.weight += node.weight - (old?.weight ?? 0)
      guard let parent = place.parent else { return }
      state.names[parent, default: []].insert(place.name)
    }
  }

  /// Forgets what has changed at a place and anywhere below it.
  func drop(_ place: ProjectPath) {
    state.withLock { state in
      var pending = [place]
      while let next = pending.popLast() {
        state.weight -= state.nodes.removeValue(forKey: next)?.weight ?? 0
        for name in state.names.removeValue(forKey: next) ?? [] {
          pending.append(ProjectPath(components: next.components + [name]))
        }
      }
      guard let parent = place.parent else { return }
      state.names[parent]?.remove(place.name)
      if state.names[parent]?.isEmpty == true { state.names[parent] = nil }
    }
  }

  /// Has a place be as it was; nil: as it is on the disk.
  func restore(_ place: ProjectPath, _ node: Node?) {
    state.withLock { state in
      let old = state.nodes[place]
      state.nodes[place] = node
      state.weight += (node?.weight ?? 0) - (old?.weight ?? 0)
    }
  }

  func note(_ change: Change) {
    state.withLock { $0.changes.append(change) }
  }

  /// A stamp that no other file has; with the time of a copied file, or else of now.
  func stamp(size: Int, modified: Int64? = nil) -> FileStamp {
    let inode = state.withLock { state in
      state.nextInode += 1
      return state.nextInode
    }
    return FileStamp(size: Int64(size), modified: modified ?? now(), inode: inode)
  }

  /// What has changed directly below a directory, by name.
  func children(of directory: ProjectPath) -> [String: Node] {
    state.withLock { state in
      var children: [String: Node] = [:]
      for name in state.names[directory] ?? [] {
        children[name] = state.nodes[ProjectPath(components: directory.components + [name])]
      }
      return children
    }
  }

  /// The files that were added, or changed, anywhere below a directory, in the order of a walk.
  func files(below directory: ProjectPath) -> [(path: ProjectPath, stamp: FileStamp)] {
    state.withLock { state in
      // A name may be listed below directories that are no nodes themselves, since they are on the disk.
      state.nodes.compactMap { path, node in
        guard case .file(_, let stamp, _) = node, path.isWithin(directory) else { return nil }
        return (path, stamp)
      }
    }.sorted { $0.path.components.lexicographicallyPrecedes($1.path.components, by: Self.precedes) }
  }

  private static func precedes(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }
}
