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
  }

  private struct State {
    var nodes: [ProjectPath: Node] = [:]
    /// The names of the places that have changed, by their directory.
    var names: [ProjectPath: Set<String>] = [:]
    var changes: [Change] = []
    /// Above what file systems give out.
    var nextInode = UInt64(1) << 62
  }

  private let state = Mutex(State())
  private let now: @Sendable () -> Int64

  /// - Parameter now: the time of day in nanoseconds since 1970, for what is written.
  package init(now: @escaping @Sendable () -> Int64) {
    self.now = now
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
      state.nodes[place] = node
      guard let parent = place.parent else { return }
      state.names[parent, default: []].insert(place.name)
    }
  }

  /// Has a place be as it was; nil: as it is on the disk.
  func restore(_ place: ProjectPath, _ node: Node?) {
    state.withLock { $0.nodes[place] = node }
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
