import Glibc

/// Where a path really ends: an open directory, a name in it, and what was found there.
struct Place {
  let directory: Descriptor
  /// The entry in `directory`; `.` when it is that directory itself.
  let name: String
  /// Where that is in the project, links resolved.
  let path: ProjectPath
  /// As the caller wrote it, for messages.
  let asked: String
  /// Nil when there is nothing of that name.
  let status: stat?

  var kind: FileKind? { status.map { FileKind(mode: $0.st_mode) } }
}

/// Follows a path below the root, one component at a time, on descriptors only.
///
/// Two descriptors are open at a time, however deep the path is. A directory is stood on by the very
/// descriptor that was found to be one, so nothing that is renamed or replaced meanwhile leads elsewhere.
struct Resolver {
  /// What is done with a link at the end of the path. One on the way is always followed.
  enum LastLink { case follow, keep }

  private static let maximumLinks = 40

  private let workspace: Workspace
  private let asked: String
  private let action: String
  private let state: FileIdentity?

  private var directory: Descriptor
  private var done: [String] = []
  /// What is still ahead, the next one last.
  private var pending: [String]
  private var links = 0
  /// The link whose target is being followed, for the message.
  private var lastLink: (path: String, target: String)?

  init(_ workspace: Workspace, _ path: ProjectPath, action: String) {
    self.workspace = workspace
    asked = path.string
    self.action = action
    state = workspace.stateIdentity()
    directory = workspace.root
    pending = path.components.reversed()
  }

  /// Finds the place; with `makingParents`, directories that are missing on the way are made.
  mutating func resolve(_ last: LastLink, makingParents: Bool) throws(WorkspaceError) -> Place {
    while let name = pending.popLast() {
      if name == "." { continue }
      if name == ".." {
        try goUp()
        continue
      }
      guard !Workspace.isProtected(name) else { throw .protected(asked) }
      let path = ProjectPath(components: done + [name])
      if let state = workspace.stateBelowRoot, path.isWithin(state) { throw .protected(asked) }
      guard pending.isEmpty else {
        try enter(name, makingParents: makingParents)
        continue
      }
      let status = try lookUp(name)
      if let status, FileKind(mode: status.st_mode) == .link, last == .follow {
        try enter(name, makingParents: makingParents)
        continue
      }
      if let status, FileIdentity(status) == state { throw .protected(asked) }
      return Place(directory: directory, name: name, path: path, asked: asked, status: status)
    }
    return Place(
      directory: directory, name: ".", path: ProjectPath(components: done), asked: asked,
      status: try attempt { () throws(SystemError) in try SystemCalls.status(of: directory) })
  }

  private func lookUp(_ name: String) throws(WorkspaceError) -> stat? {
    do {
      return try SystemCalls.status(of: name, in: directory)
    } catch {
      if error.number == ENOENT { return nil }
      throw WorkspaceError(error, path: asked, cannot: action)
    }
  }

  /// Steps into a directory, or replaces a link by its target.
  private mutating func enter(_ name: String, makingParents: Bool) throws(WorkspaceError) {
    let next = try open(name, makingMissing: makingParents)
    let status = try attempt { () throws(SystemError) in try SystemCalls.status(of: next) }
    switch FileKind(mode: status.st_mode) {
    case .directory:
      guard FileIdentity(status) != state else { throw .protected(asked) }
      directory = next
      done.append(name)
    case .link:
      guard workspace.links == .follow else { throw .changed(asked, cannot: action) }
      try follow(name, next)
    case let kind where pending.isEmpty:
      // It was a link a moment ago.
      throw kind == .file ? .changed(asked, cannot: action) : .notRegular(asked, kind, cannot: action)
    case let kind:
      throw .notDirectory(
        ProjectPath(components: done + [name]).string, kind, cannot: "\(action) \(quoted(asked)) below")
    }
  }

  private func open(_ name: String, makingMissing: Bool) throws(WorkspaceError) -> Descriptor {
    do {
      return try SystemCalls.open(name, in: directory, SystemCalls.pathOnly)
    } catch {
      guard error.number == ENOENT && makingMissing else {
        throw WorkspaceError(error, path: asked, cannot: action)
      }
    }
    return try attempt { () throws(SystemError) in
      do throws(SystemError) {
        try SystemCalls.check { mkdirat(directory.number, name, 0o777) }
      } catch {
        // Someone else made it at the same time.
        if error.number != EEXIST { throw error }
      }
      return try SystemCalls.open(name, in: directory, SystemCalls.pathOnly)
    }
  }

  private mutating func follow(_ name: String, _ link: Descriptor) throws(WorkspaceError) {
    links += 1
    guard links <= Self.maximumLinks else {
      throw WorkspaceError(SystemError(number: ELOOP), path: asked, cannot: action)
    }
    let bytes = try attempt { () throws(SystemError) in try SystemCalls.target(of: link) }
    guard let target = String(validating: bytes, as: UTF8.self) else { throw .notUTF8(repaired(bytes)) }
    lastLink = (ProjectPath(components: done + [name]).string, target)
    guard target.utf8.first == .slash else {
      pending += split(target).reversed()
      return
    }
    guard let components = workspace.components(ofAbsolute: target) else { throw outside() }
    pending += components.reversed()
    done = []
    directory = workspace.root
  }

  /// `..` of a link's target: down again from the root, since the parent that the file system names
  /// may be another one by now.
  private mutating func goUp() throws(WorkspaceError) {
    guard !done.isEmpty else { throw outside() }
    pending += done.dropLast().reversed()
    directory = workspace.root
    done = []
  }

  private func outside() -> WorkspaceError {
    guard let lastLink else { return .outside(asked) }
    return .outside(asked, link: lastLink.path, target: lastLink.target)
  }

  private func attempt<Result>(
    _ body: () throws(SystemError) -> Result
  ) throws(WorkspaceError) -> Result {
    do throws(SystemError) { return try body() } catch {
      throw WorkspaceError(error, path: asked, cannot: action)
    }
  }
}

extension Workspace {
  /// Finds the place of a path, or throws with the sentence "cannot `action` …".
  func resolve(
    _ path: ProjectPath, _ last: Resolver.LastLink = .follow, cannot action: String,
    makingParents: Bool = false
  ) throws(WorkspaceError) -> Place {
    var resolver = Resolver(self, path, action: action)
    return try resolver.resolve(last, makingParents: makingParents)
  }

  /// The same, for something that has to be there.
  func resolveExisting(
    _ path: ProjectPath, _ last: Resolver.LastLink = .follow, cannot action: String
  ) throws(WorkspaceError) -> (place: Place, status: stat) {
    let place = try resolve(path, last, cannot: action)
    guard let status = place.status else {
      throw WorkspaceError(SystemError(number: ENOENT), path: path.string, cannot: action)
    }
    return (place, status)
  }
}
