import Glibc

/// The file system as the project sees it: paths below one directory, and never Moontide's own state.
///
/// Every access goes component by component from the project's descriptor with `openat`. Links inside
/// the project are followed by hand and may not lead out of it; one that is swapped in between is not
/// followed. A component named `.moontide` and the state directory, wherever it lies, are refused.
///
/// Everything here blocks and is synchronous: call it on a thread of your own, not on the cooperative
/// pool. One workspace may be used by any number of threads at once.
package final class Workspace: Sendable {
  /// The name of the state directory of a project, and of the places that are never seen.
  package static let stateName = ".moontide"

  /// The absolute path of the project, with links resolved.
  package let rootPath: String
  /// The absolute path of the state directory; it need not exist yet.
  package let statePath: String

  let root: Descriptor
  let capabilities: FileSystemCapabilities
  let links: LinkPolicy
  /// The project's path as it was given, for absolute paths that are written the same way.
  private let givenPath: String
  /// Where the state directory lies below the root under another name than `.moontide`; it is refused
  /// by this path as well, since it may not exist yet.
  let stateBelowRoot: ProjectPath?
  /// What takes the place of the disk where changes are kept in an overlay; nil otherwise.
  let overlaid: OverlaidFiles?

  /// Opens the project at `root`; the state is kept in `state`, or in `.moontide` below the root.
  ///
  /// Relative paths are relative to the current directory of the process, once, now. Throws when the
  /// root is missing or no directory, or when the state directory is the root or above it.
  ///
  /// - Parameter links: `.refuse` for paths whose links were resolved, and judged, beforehand.
  package init(
    root: String, state: String? = nil, capabilities: FileSystemCapabilities = .all,
    links: LinkPolicy = .follow
  ) throws(WorkspaceError) {
    let action = "open the project"
    do {
      let rootPath = try Self.realPath(root)
      self.root = Descriptor(
        try SystemCalls.check { Glibc.open(rootPath, SystemCalls.directory) })
      self.rootPath = rootPath
    } catch {
      throw WorkspaceError(error, path: root, cannot: action)
    }
    givenPath = Self.absolute(root)
    statePath = state.map(Self.resolved) ?? rootPath + "/" + Self.stateName
    self.capabilities = capabilities
    self.links = links
    overlaid = nil
    stateBelowRoot = Self.components(of: statePath, below: rootPath).map { ProjectPath(components: $0) }
    guard Self.components(of: rootPath, below: statePath) == nil else {
      throw WorkspaceError(
        .protected, path: root,
        "the state directory \(quoted(statePath)) holds the project \(quoted(rootPath)); "
          + "give it a directory of its own")
    }
  }

  /// The files of `real` as they would be after the changes of an overlay, which takes every further one.
  ///
  /// Nothing on the disk is changed through it.
  package convenience init(_ real: Workspace, overlay: Overlay) {
    self.init(real, overlay: overlay, isEnclosed: false)
  }

  /// - Parameter isEnclosed: whether the project does not see it, so that nobody is told of its changes.
  init(_ real: Workspace, overlay: Overlay, isEnclosed: Bool) {
    root = real.root
    rootPath = real.rootPath
    statePath = real.statePath
    capabilities = real.capabilities
    links = real.links
    givenPath = real.givenPath
    stateBelowRoot = real.stateBelowRoot
    overlaid = OverlaidFiles(real: real, overlay: overlay, isEnclosed: isEnclosed)
  }

  /// A workspace at a place where nothing is on the disk, for an overlay to lie over.
  ///
  /// - Parameter nothing: a directory that stays empty.
  init(nothingAt path: String, on nothing: Descriptor) {
    root = nothing
    rootPath = path
    statePath = path + "/" + Self.stateName
    capabilities = .all
    links = .follow
    givenPath = path
    stateBelowRoot = ProjectPath(components: [Self.stateName])
    overlaid = nil
  }

  /// The whole file system, for paths outside of the project whose links were resolved, and judged, beforehand.
  package func everything() throws(WorkspaceError) -> Workspace {
    let everything = try Workspace(root: "/", state: statePath, links: .refuse)
    return overlaid.map { Workspace(everything, overlay: $0.overlay) } ?? everything
  }

  /// A path from text of any form: relative, or absolute below the project.
  ///
  /// Throws `outside` for what is not below the project, `invalidName` for what is no path.
  package func path(_ text: String) throws(WorkspaceError) -> ProjectPath {
    guard text.utf8.first == .slash else { return try ProjectPath(text) }
    guard !text.utf8.contains(0) else { throw .hasNUL(text) }
    guard let components = components(ofAbsolute: text) else { throw .outside(text) }
    return ProjectPath(components: components)
  }

  /// The components below the root of an absolute path; nil where it is not below the root.
  func components(ofAbsolute text: String) -> [String]? {
    Self.components(of: text, below: rootPath) ?? Self.components(of: text, below: givenPath)
  }

  /// The absolute path, for people and for other programs; nothing is checked.
  package func absolute(_ path: ProjectPath) -> String {
    path.isRoot ? rootPath : (rootPath == "/" ? "" : rootPath) + "/" + path.string
  }

  // MARK: - What is never seen

  /// What identifies the state directory now; nil while there is none.
  ///
  /// Asked anew each time: the directory may be made, or replaced, while the project is open.
  func stateIdentity() -> FileIdentity? {
    var status = stat()
    return fstatat(AT_FDCWD, statePath, &status, 0) == 0 ? FileIdentity(status) : nil
  }

  /// Names that are never seen: `.moontide`, and the unfinished files of `write`, `copy` and `move`.
  static func isProtected(_ name: String) -> Bool {
    withBytes(of: name) { isProtected($0) }
  }

  static func isProtected(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    guard name.first == .dot, name.starts(with: stateName.utf8) else { return false }
    return name.count == stateName.utf8.count || TemporaryFile.isName(name)
  }

  // MARK: - Absolute paths

  private static func realPath(_ path: String) throws(SystemError) -> String {
    guard let resolved = realpath(path, nil) else { throw SystemError(number: errno) }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// The real path of what need not be there yet: of the part that is, with the rest behind it.
  private static func resolved(_ path: String) -> String {
    var existing = folded(absolute(path))
    var missing: [String] = []
    while true {
      if let real = try? realPath("/" + existing.joined(separator: "/")) {
        return "/" + (split(real) + missing).joined(separator: "/")
      }
      guard let last = existing.popLast() else { return absolute(path) }
      missing.insert(last, at: 0)
    }
  }

  /// The path from the root of the file system, `.` and `..` folded as text.
  private static func absolute(_ path: String) -> String {
    let start = path.utf8.first == .slash ? "" : (try? realPath(".")) ?? ""
    return "/" + folded(start + "/" + path).joined(separator: "/")
  }

  private static func folded(_ path: String) -> [String] {
    split(path).reduce(into: []) { result, component in
      if component == ".." { _ = result.popLast() } else if component != "." { result.append(component) }
    }
  }

  private static func components(of path: String, below directory: String) -> [String]? {
    let (path, directory) = (folded(path), split(directory))
    guard path.count >= directory.count,
      zip(path, directory).allSatisfy({ $0.utf8.elementsEqual($1.utf8) })
    else { return nil }
    return Array(path.dropFirst(directory.count))
  }
}

/// What is done with a symbolic link that would have to be followed.
package enum LinkPolicy: Sendable {
  /// It is followed where it stays inside the project.
  case follow
  /// It is an error (`changed`): it was not there when the path was judged.
  case refuse
}

/// What the file system below the project can do; `all` tries the best way and falls back by itself.
///
/// Taking something away leaves only the ways that file systems without it have.
package struct FileSystemCapabilities: OptionSet, Sendable {
  package let rawValue: Int

  package init(rawValue: Int) { self.rawValue = rawValue }

  /// Renaming that refuses to replace (`renameat2` with `RENAME_NOREPLACE`).
  package static let exclusiveRename = FileSystemCapabilities(rawValue: 1)
  package static let hardLinks = FileSystemCapabilities(rawValue: 2)
  /// Source and target of every move are on one device.
  package static let oneDevice = FileSystemCapabilities(rawValue: 4)
  /// The kernel tells of changes (`inotify`).
  package static let changeEvents = FileSystemCapabilities(rawValue: 8)
  package static let all: FileSystemCapabilities = [.exclusiveRename, .hardLinks, .oneDevice, .changeEvents]
}
