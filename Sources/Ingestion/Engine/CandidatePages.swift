import FileSessions
import Synchronization
import Workspace

/// Discovery, read piece by piece on threads that may block.
final class CandidatePages: Sendable {
  struct Page: Sendable {
    var candidates: [Candidate] = []
    var problems: [(path: String, message: String)] = []
    /// Nothing follows, and nothing is here.
    var isEnd = false
    /// Nothing follows, as far as is known.
    var isLast = false
  }

  private enum Source: Sendable {
    case walk(WalkInProgress)
    case named(@Sendable () async throws(Failure) -> [NamedFile]?)
  }

  /// Those that are taken in an order.
  private struct Ordered {
    var shelf = CandidateShelf()
    var isComplete = false
  }

  private let source: Source
  private let order: CandidateOrder?
  private let ordered = Mutex(Ordered())
  /// Files that were named and are for the next page.
  private let surplus = Mutex<[NamedFile]>([])
  private let workspace: Workspace
  private let profile: String
  private let recipe: String

  /// - Parameter order: in which they come; nil: as they are found.
  init(of discovery: Discovery, for engine: Engine, in order: CandidateOrder? = nil) throws(Failure) {
    self.order = order
    workspace = engine.workspace
    profile = engine.profile
    recipe = engine.recipe.name
    switch discovery {
    case .walk(let settings):
      do throws(WorkspaceError) {
        source = .walk(
          WalkInProgress(
            try workspace.walk(root: settings.root, globs: settings.globs, hidden: settings.hidden)))
      } catch {
        throw Failure(.file, "Nothing could be discovered: \(error.message).")
      }
    case .named(let next): source = .named(next)
    }
  }

  /// At most `limit` places; a page may be empty of candidates without being the end.
  func next(_ limit: Int) async throws(Failure) -> Page {
    guard let order else { return try await read(limit) }
    if ordered.withLock({ $0.isComplete }) {
      let candidates = await offload { [self] in
        ordered.withLock { $0.shelf.take(limit, profile: profile, recipe: recipe) }
      }
      return Page(candidates: candidates, isEnd: candidates.isEmpty)
    }
    // All have to be known before the first is taken.
    var page = try await read(limit * 16)
    await offload { [self, page] in
      ordered.withLock { ordered in
        for candidate in page.candidates { ordered.shelf.add(candidate) }
        ordered.isComplete = page.isEnd
        if page.isEnd { ordered.shelf.sort(order) }
      }
    }
    page.candidates = []
    page.isEnd = false
    return page
  }

  /// The next ones as they are found.
  private func read(_ limit: Int) async throws(Failure) -> Page {
    switch source {
    case .walk(let walk):
      let items = await offload { walk.next(limit) }
      if items.isEmpty { return Page(isEnd: true) }
      var page = page(of: items)
      page.isLast = items.count < limit
      return page
    case .named(let next):
      var files = surplus.withLock { surplus in
        defer { surplus = [] }
        return surplus
      }
      if files.isEmpty {
        guard let more = try await next() else { return Page(isEnd: true) }
        files = more
      }
      surplus.withLock { $0 = Array(files.dropFirst(limit)) }
      files = Array(files.prefix(limit))
      let workspace = workspace
      let items = await offload { [files] in files.map { workspace.walkItem(at: $0.path) } }
      return page(of: items, data: files.map(\.data))
    }
  }

  /// - Parameter data: what comes with each; none with those of a walk.
  private func page(of items: [WalkItem], data: [JobData?] = []) -> Page {
    var page = Page()
    for (index, item) in items.enumerated() {
      switch item {
      case .file(let path, let relative, let stamp):
        let key = JobKey(profile: profile, recipe: recipe, path: path)
        page.candidates.append(
          Candidate(key: key, relative: relative, stamp: stamp, data: data.isEmpty ? nil : data[index]))
      case .problem(let error) where error.code == .vanished:
        // It was listed, and has gone since: then it is not there, which is no trouble.
        break
      case .problem(let error):
        page.problems.append((error.path, error.message))
      }
    }
    return page
  }
}

extension Workspace {
  /// A file that was named, as a walk would offer it. Blocks.
  func walkItem(at path: ProjectPath) -> WalkItem {
    do throws(WorkspaceError) {
      let info = try info(path)
      guard info.kind == .file else {
        throw WorkspaceError(.notRegular, path: path.string, "\(path) is \(info.kind.phrase), not a file")
      }
      return .file(path: path, relative: path.string, stamp: info.stamp)
    } catch {
      return .problem(error)
    }
  }
}

/// A walk that is continued from one thread after the other.
private final class WalkInProgress: Sendable {
  private let walker: Mutex<Walker>

  init(_ walker: consuming sending Walker) {
    self.walker = Mutex(walker)
  }

  /// The next items, none at the end. Blocks.
  func next(_ limit: Int) -> [WalkItem] {
    walker.withLock { walker in
      var items: [WalkItem] = []
      while items.count < limit, let item = walker.next() { items.append(item) }
      return items
    }
  }
}
