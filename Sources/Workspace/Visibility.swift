import Glibc

/// Why a walk offers a path, or why not.
package enum Visibility: Sendable, Hashable, CustomStringConvertible {
  /// The walk offers it.
  case visible
  /// This component begins with a dot, and neither `hidden` nor an include asks for it.
  case hidden(component: String)
  /// This glob leaves it, or a directory on the way, out.
  case excluded(by: Glob)
  /// No include matches it.
  case notIncluded
  /// This, the path or a directory on the way, is a link; links are not followed.
  case link(ProjectPath)
  /// It belongs to Moontide.
  case protected
  /// It is in the project, but not below the root of the walk.
  case outsideRoot(ProjectPath)
  /// This, the path or a directory on the way, does not exist.
  case missing(ProjectPath)
  /// It is a directory: a walk offers files.
  case directory
  /// It is neither a file nor a directory.
  case notRegular(FileKind)
  /// It cannot be looked at.
  case unreadable(WorkspaceError)

  package var description: String {
    switch self {
    case .visible: "it is taken"
    case .hidden(let component):
      "\(quoted(component)) is hidden (it begins with a dot); set hidden = true or name the dot in include"
    case .excluded(let glob): "exclude \(quoted(glob.pattern)) leaves it out"
    case .notIncluded: "no include matches it"
    case .link(let path): "\(quoted(path.string)) is a symbolic link; links are not followed"
    case .protected: "it belongs to Moontide itself and is never seen"
    case .outsideRoot(let root): "it is not below the root \(quoted(root.string))"
    case .missing(let path): "\(quoted(path.string)) does not exist"
    case .directory: "it is a directory; only files are taken"
    case .notRegular(let kind): "it is \(kind.phrase); only regular files are taken"
    case .unreadable(let error): error.message
    }
  }
}

extension Workspace {
  /// Says whether a walk with these arguments offers `path`, and if not, the first reason why.
  package func explain(
    _ path: ProjectPath, root: ProjectPath = .root, globs: GlobSet = GlobSet(), hidden: Bool = false
  ) -> Visibility {
    if path.components.contains(where: Self.isProtected) { return .protected }
    if let stateBelowRoot, path.isWithin(stateBelowRoot) { return .protected }
    guard let relative = path.relative(to: root) else { return .outsideRoot(root) }
    let start: Descriptor
    do {
      start = try openDirectory(root, cannot: "walk").0
    } catch {
      switch error.code {
      case .notFound: return .missing(root)
      case .protected: return .protected
      default: return .unreadable(error)
      }
    }
    guard relative != "." else { return .directory }
    let names = split(relative)
    return look(at: names, root, start) ?? explain(relative, names, globs, hidden)
  }

  /// What stands in the way on the disk; nil when there is a regular file, reached without links.
  private func look(at names: [String], _ root: ProjectPath, _ start: Descriptor) -> Visibility? {
    var directory = start
    let state = stateIdentity()
    for (index, name) in names.enumerated() {
      let path = ProjectPath(components: root.components + names.prefix(index + 1))
      do {
        let status = try SystemCalls.status(of: name, in: directory)
        let isLast = index == names.count - 1
        switch FileKind(mode: status.st_mode) {
        case .file where isLast: return nil
        case .link: return .link(path)
        case .directory:
          if FileIdentity(status) == state { return .protected }
          if isLast { return .directory }
          directory = try SystemCalls.open(name, in: directory, SystemCalls.directory)
        case .file: return .missing(ProjectPath(components: root.components + names.prefix(index + 2)))
        case let kind: return .notRegular(kind)
        }
      } catch {
        if error.number == ENOENT { return .missing(path) }
        return .unreadable(WorkspaceError(error, path: path.string, cannot: "look at"))
      }
    }
    return nil
  }

  private func explain(
    _ relative: String, _ names: [String], _ globs: GlobSet, _ hidden: Bool
  ) -> Visibility {
    if let glob = globs.excluding(relative) { return .excluded(by: glob) }
    if globs.matches(relative, hidden: hidden) { return .visible }
    guard !hidden, globs.matches(relative, hidden: true) else { return .notIncluded }
    // The first hidden name that the includes do not follow, which is the one to ask for.
    let matcher = GlobMatcher(globs, hidden: false)
    var state = matcher.start
    for name in names {
      guard let next = withBytes(of: name, { matcher.enter($0, from: state) }) else {
        if name.utf8.first == .dot { return .hidden(component: name) }
        break
      }
      state = next
    }
    return .hidden(component: names.first { $0.utf8.first == .dot } ?? relative)
  }
}
