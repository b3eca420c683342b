import LuaHost
import Workspace

/// A file or directory that a script named and may use, and the workspace to reach it through.
struct FilePlace: Sendable {
  let workspace: Workspace
  var path: ProjectPath
  /// Whether it is outside of the project; then all of the file system is the workspace, which refuses links:
  /// those of the path were resolved before it was permitted.
  let isOutside: Bool
  /// Whether it is in the directory of the handler's own job, which is a workspace by itself.
  var isOfJob = false

  /// A path of the same workspace as the script gets it: relative to the project, or absolute.
  func shown(_ path: ProjectPath) -> String {
    isOutside || isOfJob ? workspace.absolute(path) : path.string
  }

  /// This place and another in one workspace, for what takes two paths of one. Blocks.
  func together(with other: FilePlace) throws(WorkspaceError) -> (FilePlace, FilePlace) {
    guard isOutside != other.isOutside, !isOfJob, !other.isOfJob else { return (self, other) }
    return isOutside ? (self, try other.seen(from: workspace)) : (try seen(from: other.workspace), other)
  }

  private func seen(from outside: Workspace) throws(WorkspaceError) -> FilePlace {
    let real = RealPath.resolve(workspace.absolute(path))
    // It was found inside of the project a moment ago.
    guard RealPath.isWithin(real, workspace.rootPath) else {
      throw WorkspaceError(.changed, path: path.string, "\(path) changed meanwhile; try again")
    }
    return FilePlace(workspace: outside, path: try outside.path(real), isOutside: true)
  }
}

/// A path as a script gave it, permitted as far as its text tells; `place` decides.
struct WantedFile: Sendable {
  private enum Target: Sendable {
    case project(ProjectPath)
    /// An absolute path without `..`.
    case outside(String)
    /// A path below the directory of the handler's own job.
    case work(WorkPlace, ProjectPath)
  }

  private let target: Target
  private let kind: PermissionKind
  private let function: String
  private let context: LibraryContext
  private let keepsLastLink: Bool

  /// - Parameter keepsLastLink: for what is done to a link itself, not to what it leads to.
  init(
    _ text: String, _ kind: PermissionKind, by function: String, in context: LibraryContext,
    keepsLastLink: Bool = false
  ) throws {
    self.kind = kind
    self.function = function
    self.context = context
    self.keepsLastLink = keepsLastLink
    target = try Self.target(text, context.workspace)
    switch target {
    case .work: break
    case .project(let path): try context.require(access(path), by: function)
    case .outside(let path):
      // Without any grant nothing is looked up, so that errors do not tell what there is.
      if !context.permissions.reachesOutside(kind) { try context.require(access(path), by: function) }
    }
  }

  private static func target(_ text: String, _ workspace: Workspace) throws(WorkspaceError) -> Target {
    if let work = JobCalls.current?.work, let path = work.path(text, from: workspace.rootPath) {
      return .work(work, path)
    }
    do throws(WorkspaceError) {
      return .project(try workspace.path(text))
    } catch {
      guard error.code == .outside else { throw error }
      return .outside(PathBase(directory: workspace.rootPath).absolute(text))
    }
  }

  /// The path without `.` and `..`, for messages.
  var asked: String {
    switch target {
    case .project(let path): path.string
    case .outside(let path): path
    case .work(let work, let path): work.absolute(path)
    }
  }

  /// What the script called it, for results and names.
  var name: String {
    switch target {
    case .project(let path), .work(_, let path): path.name
    case .outside(let path): PathText.basename(path)
    }
  }

  /// The place, when the script may use it. Blocks.
  ///
  /// Links are resolved first, what they lead to is permitted or not, and the place is then opened by a walk
  /// that follows no link out of the project, and none at all outside of it: one that is swapped in between
  /// is refused.
  ///
  /// - Throws: `PermissionError`, `WorkspaceError`.
  func place() throws -> FilePlace {
    let workspace = context.workspace
    let asked: String
    switch target {
    case .project(let path): asked = workspace.absolute(path)
    case .outside(let path): asked = path
    case .work(let work, let path):
      return FilePlace(workspace: try work.open(), path: path, isOutside: false, isOfJob: true)
    }
    let real = RealPath.resolve(asked, keepingLast: keepsLastLink)
    try require(access(real), shownAs: asked, onlyNever: true)
    if RealPath.isWithin(real, workspace.rootPath) {
      // As it was written, where it was written as a path of the project: links inside are its own.
      if case .project(let path) = target {
        return FilePlace(workspace: workspace, path: path, isOutside: false)
      }
      let path = try workspace.path(real)
      try context.require(access(path), by: function)
      return FilePlace(workspace: workspace, path: path, isOutside: false)
    }
    try require(access(real), shownAs: asked, onlyNever: false)
    let everything = try workspace.everything()
    return FilePlace(workspace: everything, path: try everything.path(real), isOutside: true)
  }

  private func access(_ path: ProjectPath) -> Access { kind == .read ? .read(path) : .write(path) }

  private func access(_ path: String) -> Access { kind == .read ? .readOutside(path) : .writeOutside(path) }

  /// The error names the path as the script did: where a link leads is not told before it is permitted.
  private func require(_ access: Access, shownAs asked: String, onlyNever: Bool) throws(PermissionError) {
    guard let reason = context.permissions.denial(of: access) else { return }
    if onlyNever { guard case .never = reason else { return } }
    throw context.permissions.error(self.access(asked), by: function, reason)
  }
}

extension LibraryContext {
  /// Argument `index`, a file or directory that the script wants to read.
  func toRead(_ call: inout LuaCall, _ index: Int) throws -> WantedFile {
    try WantedFile(call.string(index), .read, by: call.name, in: self)
  }

  /// Argument `index`, a file or directory that the script wants to change.
  func toWrite(_ call: inout LuaCall, _ index: Int, keepsLastLink: Bool = false) throws -> WantedFile {
    try WantedFile(call.string(index), .write, by: call.name, in: self, keepsLastLink: keepsLastLink)
  }

  /// Records what a script wrote below the project, as it is found there by `discover`.
  func record(_ path: ProjectPath, in place: FilePlace) async throws {
    if place.isOfJob { return }
    if !place.isOutside { return try await recordWrite(path) }
    // Through a path outside, or in a copy between both.
    guard let path = try? workspace.path(place.workspace.absolute(path)) else { return }
    try await recordWrite(path)
  }
}
