import Glibc
import Synchronization

/// Directories that the project does not see, each a workspace of its own; in an overlay, those that were made in it.
extension Workspace {
  /// What takes the changes of this workspace in place of the disk; nil where there is no such thing.
  package var overlay: Overlay? { overlaid?.overlay }

  /// Opens a directory, given by its absolute path, as a workspace that no link leads out of. Blocks.
  package func enclosed(_ path: String) throws(WorkspaceError) -> Workspace {
    guard let overlay else { return try Workspace(root: path) }
    guard case .directory? = overlay[ProjectPath(components: split(path))] else {
      return Workspace(try Workspace(root: path), overlay: overlay, isEnclosed: true)
    }
    do throws(SystemError) {
      let nothing = Workspace(nothingAt: path, on: try Nothing.directory())
      return Workspace(nothing, overlay: overlay, isEnclosed: true)
    } catch {
      throw WorkspaceError(error, path: path, cannot: "open")
    }
  }
}

extension Overlay {
  /// Makes a directory, empty, whatever is on the disk; it is opened with ``Workspace/enclosed(_:)``.
  ///
  /// - Parameter path: absolute, without links.
  package func makeEnclosed(_ path: String) {
    let place = ProjectPath(components: split(path))
    drop(place)
    set(place, .directory(stamp(size: 0)))
  }

  /// Forgets such a directory with all that is in it.
  package func removeEnclosed(_ path: String) {
    drop(ProjectPath(components: split(path)))
  }
}

/// A directory in which nothing is, and nothing can be made: what an overlay lies over where there is no disk below.
private enum Nothing {
  private static let known = Mutex<Descriptor?>(nil)
  /// Where such a directory can be for a moment, the first that takes it.
  private static let places = ["/tmp", "/var/tmp", "/dev/shm"]

  /// A directory that was removed while it was open: the kernel makes nothing in it any more.
  static func directory() throws(SystemError) -> Descriptor {
    try known.withLock { (known) throws(SystemError) in
      if let known { return known }
      var refusal = SystemError(number: ENOENT)
      for place in places {
        var template = Array("\(place)/moontide-nothing-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
          refusal = SystemError(number: errno)
          continue
        }
        defer { rmdir(template) }
        let descriptor = Descriptor(try SystemCalls.check { Glibc.open(template, SystemCalls.directory) })
        known = descriptor
        return descriptor
      }
      throw refusal
    }
  }
}
