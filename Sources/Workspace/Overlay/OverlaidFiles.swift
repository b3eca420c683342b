import Glibc

/// The files of a workspace as they would be after the changes of an overlay.
///
/// Takes the place of what ``Workspace`` does by itself; the disk is read and never written.
struct OverlaidFiles: Sendable {
  /// The same workspace without the overlay.
  let real: Workspace
  let overlay: Overlay
  /// Whether the project does not see these files, so that nobody is told of their changes.
  let isEnclosed: Bool

  /// What is found at a path.
  enum Sight {
    /// On the disk, and not changed since.
    case disk(Place, stat)
    /// Changed: a file or a directory.
    case node(ProjectPath, Overlay.Node)
    /// Nothing; there could be something at this path.
    case free(ProjectPath)
  }

  /// The place of a path of this workspace from the root of the file system.
  func place(of path: ProjectPath) -> ProjectPath {
    ProjectPath(components: split(real.absolute(path)))
  }

  /// As people are told of it.
  func shown(_ path: ProjectPath) -> String {
    real.rootPath == "/" || isEnclosed ? real.absolute(path) : path.string
  }

  /// Tells people of a change.
  func note(_ change: Overlay.Change) {
    if !isEnclosed { overlay.note(change) }
  }

  /// Finds what is at a path.
  ///
  /// - Parameter makingParents: takes directories that are missing on the way for made.
  func find(
    _ path: ProjectPath, _ last: Resolver.LastLink = .follow, cannot action: String,
    makingParents: Bool = false
  ) throws(WorkspaceError) -> Sight {
    let found: Place
    do throws(WorkspaceError) {
      found = try real.resolve(path, .keep, cannot: action)
    } catch {
      guard error.code == .notFound else { throw error }
      return try findBelowMissing(path, error, cannot: action, makingParents: makingParents)
    }
    if let sight = changed(found.path) { return sight }
    guard let status = found.status else { return .free(found.path) }
    guard FileKind(mode: status.st_mode) == .link, last == .follow else { return .disk(found, status) }
    let target = try real.resolve(path, .follow, cannot: action)
    if let sight = changed(target.path) { return sight }
    return target.status.map { .disk(target, $0) } ?? .free(target.path)
  }

  private func changed(_ path: ProjectPath) -> Sight? {
    switch overlay[place(of: path)] {
    case nil: nil
    case .removed: .free(path)
    case let node?: .node(path, node)
    }
  }

  /// A path below a directory that is not on the disk.
  private func findBelowMissing(
    _ path: ProjectPath, _ missing: WorkspaceError, cannot action: String, makingParents: Bool
  ) throws(WorkspaceError) -> Sight {
    var names: [String] = []
    var directory = path
    var base: ProjectPath?
    while base == nil, let parent = directory.parent {
      names.insert(directory.name, at: 0)
      directory = parent
      do throws(WorkspaceError) {
        let found = try real.resolve(directory, cannot: action)
        if found.status != nil { base = found.path }
      } catch {
        guard error.code == .notFound else { throw error }
      }
    }
    let whole = ProjectPath(components: (base ?? .root).components + names)
    if names.contains(where: Workspace.isProtected) { throw .protected(path.string) }
    if let state = real.stateBelowRoot, whole.isWithin(state) { throw .protected(path.string) }
    if let sight = changed(whole) { return sight }
    if !makingParents, names.count > 1, let parent = whole.parent {
      guard case .directory? = overlay[place(of: parent)] else { throw missing }
    }
    return .free(whole)
  }

  /// The same, for something that has to be there.
  func findExisting(
    _ path: ProjectPath, _ last: Resolver.LastLink = .follow, cannot action: String
  ) throws(WorkspaceError) -> Sight {
    let sight = try find(path, last, cannot: action)
    guard case .free = sight else { return sight }
    throw WorkspaceError(SystemError(number: ENOENT), path: path.string, cannot: action)
  }

  /// A regular file: where it really is, its content, its stamp and its permission bits.
  func file(
    _ path: ProjectPath, _ last: Resolver.LastLink = .follow, cannot action: String
  ) throws(WorkspaceError) -> (path: ProjectPath, content: Overlay.Content, stamp: FileStamp, mode: UInt32) {
    switch try findExisting(path, last, cannot: action) {
    case .disk(let place, let status):
      try real.requireRegular(status, path, action)
      let info = FileInfo(path: place.path, status: status)
      return (place.path, .file(place.path, in: real), info.stamp, info.mode)
    case .node(let path, .file(let content, let stamp, let mode)):
      return (path, content, stamp, mode)
    case .node, .free:
      throw .notRegular(path.string, .directory, cannot: action)
    }
  }
}
