import FileSessions
import Synchronization
import Workspace

/// What the engines of a run know of each other's files, so that none takes one away that another still needs.
///
/// A file that has to stay for others waits here by its path alone, and holds no place: what is left to do with it is
/// in the ledger, where the next run finds it if this one does not come to it.
final class Departures: Sendable {
  /// Which files an engine takes.
  enum Scope: Sendable {
    /// It has not said so far.
    case unknown
    case walk(WalkSettings, Settling)
    /// Its recipe names them.
    case named(Settling)
  }

  /// Another engine that may take a file.
  struct Rival: Sendable {
    var recipe: String
    /// Which of its versions it is now; nil: not known yet.
    var version: String?
    var scope: Scope
    var state: Departure.Rival
  }

  fileprivate struct Wait {
    var since: Timestamp
    /// Whether it was told that the file stays.
    var isNoted = false
  }

  fileprivate struct Member {
    var recipe: String
    var version: String?
    var scope = Scope.unknown
    var progress = Departure.Rival.Progress.atWork
    var bell: Bell?
    /// When the look through everything began that it takes now, and the last one that is over.
    var lookBegan: Timestamp?
    var looked: Timestamp?
    /// Its files that have to stay for others.
    var waiting: [ProjectPath: Wait] = [:]
    /// Those of them that are to be asked about again.
    var due: Set<ProjectPath> = []
    /// Whether one had to stay for which there was no room in `waiting`.
    var isFull = false
  }

  fileprivate struct State {
    var members: [Int: Member] = [:]
    /// What became of files that others may look for.
    var taken: [ProjectPath: (seat: Int, note: String)] = [:]
    /// In a dry run: files that a real run would leave where they are for a recipe, and why.
    var kept: [ProjectPath: (seat: Int, why: String)] = [:]
  }

  /// More than so many do not wait at once; what is left to do with the others is for the next run.
  private static let capacity = 100_000

  private let state = Mutex(State())

  // MARK: - Company

  func join(_ seat: Int, _ recipe: String) {
    state.withLock { $0.members[seat] = Member(recipe: recipe) }
  }

  func rename(_ seat: Int, _ recipe: String) {
    state.withLock { $0.members[seat]?.recipe = recipe }
  }

  /// Changes what is known of an engine, and has the others ask again about their files that wait.
  private func change(_ seat: Int, _ body: (inout Member) -> Void) {
    let bells = state.withLock { state -> [Bell] in
      if state.members[seat] == nil { return [] }
      body(&state.members[seat, default: Member(recipe: "")])
      return state.remind { $0 != seat }
    }
    for bell in bells { bell.ring() }
  }

  /// An engine begins; `bell` is rung when its files may go.
  func begin(_ seat: Int, bell: Bell) {
    change(seat) { member in
      member.scope = .unknown
      member.version = nil
      member.progress = .atWork
      (member.lookBegan, member.looked) = (nil, nil)
      member.bell = bell
      member.due = Set(member.waiting.keys)
    }
  }

  /// It is known which files it takes; it begins to look through all of them.
  func look(_ seat: Int, _ scope: Scope, version: String, now: Timestamp) {
    change(seat) { member in
      member.scope = scope
      member.version = version
      member.progress = .atWork
      member.lookBegan = now
    }
  }

  /// What it has found is done with, and it goes on.
  func idle(_ seat: Int) {
    let isNews = state.withLock { state in
      state.members[seat].map { $0.looked != $0.lookBegan } ?? false
    }
    if isNews { change(seat) { $0.looked = $0.lookBegan } }
  }

  /// Nothing is left for it to do in its run but to take files away.
  func rest(_ seat: Int) { change(seat) { $0.progress = .resting } }

  func end(_ seat: Int, early: Bool) { change(seat) { $0.progress = .ended(early: early) } }

  /// It is gone, whether or not it had begun.
  func leave(_ seat: Int) {
    change(seat) { member in
      if case .ended = member.progress { return }
      member.progress = .ended(early: true)
    }
  }

  // MARK: - Files

  /// Whether somebody else may look for a file.
  func isWanted(_ path: ProjectPath, besides seat: Int) -> Bool {
    state.withLock { state in
      state.members.contains { $0.key != seat && $0.value.scope.mayOffer(path) }
    }
  }

  /// Has a file wait, so that it is told when the others have got on with it.
  ///
  /// - Returns: Those that it waits for; none where there are none.
  func hold(_ path: ProjectPath, for seat: Int, now: Timestamp) -> [Rival] {
    state.withLock { state in
      guard state.members.count > 1 else { return [] }
      let rivals = state.members.filter { $0.key != seat && $0.value.scope.mayOffer(path) }
      guard !rivals.isEmpty, let known = state.members[seat]?.waiting.count else { return [] }
      let since = state.members[seat]?.waiting[path]?.since ?? now
      if known < Self.capacity {
        state.members[seat]?.waiting[path, default: Wait(since: now)].since = since
      } else if state.members[seat]?.waiting[path] == nil {
        state.members[seat]?.isFull = true
      }
      state.members[seat]?.due.remove(path)
      return rivals.sorted { $0.key < $1.key }.map { number, rival in
        var isCertain = false
        if case .walk = rival.scope { isCertain = true }
        return Rival(
          recipe: rival.recipe, version: rival.version, scope: rival.scope,
          state: Departure.Rival(
            progress: rival.progress, isEarlier: number < seat, isCertain: isCertain,
            hasLooked: !isCertain && rival.looked.map { $0 >= since } ?? false))
      }
    }
  }

  /// A file waits no more.
  func release(_ path: ProjectPath, for seat: Int) {
    state.withLock { state in
      state.members[seat]?.waiting[path] = nil
      state.members[seat]?.due.remove(path)
    }
  }

  /// Has it asked again about a file that waits.
  func remind(_ path: ProjectPath, for seat: Int) {
    state.withLock { state in
      if state.members[seat]?.waiting[path] != nil { state.members[seat]?.due.insert(path) }
    }
  }

  /// Whether this is the first time that somebody wants to tell that a file stays.
  func note(_ path: ProjectPath, for seat: Int) -> Bool {
    state.withLock { state in
      guard state.members[seat]?.waiting[path]?.isNoted == false else { return false }
      state.members[seat]?.waiting[path]?.isNoted = true
      return true
    }
  }

  /// An engine has got on with a file.
  func pass(_ path: ProjectPath, by seat: Int) {
    let bells = state.withLock { state -> [Bell] in
      guard state.members.count > 1 else { return [] }
      return state.members.compactMap { number, member in
        guard number != seat, member.waiting[path] != nil else { return nil }
        state.members[number]?.due.insert(path)
        return member.bell
      }
    }
    for bell in bells { bell.ring() }
  }

  /// Whether a file waits.
  func isWaiting(_ path: ProjectPath, for seat: Int) -> Bool {
    state.withLock { $0.members[seat]?.waiting[path] != nil }
  }

  /// The files that are to be asked about again, in the order of their paths.
  func takeDue(_ seat: Int) -> [ProjectPath] {
    state.withLock { state in
      defer { state.members[seat]?.due = [] }
      return state.members[seat]?.due.sorted() ?? []
    }
  }

  /// Whether files wait that may go in this run.
  func isOpen(_ seat: Int) -> Bool {
    state.withLock { state in
      guard let own = state.members[seat], !own.waiting.isEmpty else { return false }
      if !own.due.isEmpty { return true }
      return state.members.contains { number, other in
        switch other.progress {
        case .atWork: number != seat
        case .resting: number < seat
        case .ended: false
        }
      }
    }
  }

  /// How many files wait, at least.
  func count(_ seat: Int) -> (files: Int, isMore: Bool) {
    state.withLock { state in
      state.members[seat].map { ($0.waiting.count, $0.isFull) } ?? (0, false)
    }
  }

  // MARK: - Whereabouts

  /// Notes what became of a file that others may look for.
  func take(_ path: ProjectPath, by seat: Int, _ note: String) {
    state.withLock { state in
      if state.taken.count < Self.capacity { state.taken[path] = (seat, note) }
    }
  }

  /// Notes why a file would have to stay for an engine beyond this run.
  func keep(_ path: ProjectPath, for seat: Int, _ why: String) {
    state.withLock { state in
      // One that it takes away itself is there for nobody.
      if state.taken[path]?.seat == seat { return }
      if state.kept.count < Self.capacity { state.kept[path] = (seat, why) }
    }
  }

  /// The other recipe that a file would have to stay for, and why.
  func keeper(of path: ProjectPath, besides seat: Int) -> (recipe: String, why: String)? {
    state.withLock { state in
      guard let kept = state.kept[path], kept.seat != seat, let member = state.members[kept.seat] else {
        return nil
      }
      return (member.recipe, kept.why)
    }
  }

  /// What another engine did with a file.
  func whereabouts(of path: ProjectPath, besides seat: Int) -> String? {
    state.withLock { state in
      state.taken[path].flatMap { $0.seat == seat ? nil : $0.note }
    }
  }
}

extension Departures.State {
  /// Has engines ask again about all of their files that wait, and gives the bells to ring.
  fileprivate mutating func remind(_ isMeant: (Int) -> Bool) -> [Bell] {
    var bells: [Bell] = []
    for (number, member) in members where isMeant(number) {
      if member.waiting.isEmpty { continue }
      members[number]?.due = Set(member.waiting.keys)
      if let bell = member.bell { bells.append(bell) }
    }
    return bells
  }
}

extension Departures.Scope {
  init(_ discovery: Discovery, _ settling: Settling) {
    switch discovery {
    case .walk(let settings): self = .walk(settings, settling)
    case .named: self = .named(settling)
    }
  }

  /// Whether a file may be among those, as far as its path tells.
  func mayOffer(_ path: ProjectPath) -> Bool {
    switch self {
    case .unknown: true
    case .named(let settling): settling.withholding(path) == nil
    case .walk(let walk, let settling):
      path.relative(to: walk.root).map { walk.globs.matches($0, hidden: walk.hidden) } ?? false
        && settling.withholding(path) == nil
    }
  }

  /// Whether a file is among those. Blocks.
  func offers(_ path: ProjectPath, in workspace: Workspace) -> Bool {
    guard case .walk(let walk, _) = self else { return true }
    switch workspace.explain(path, root: walk.root, globs: walk.globs, hidden: walk.hidden) {
    // What cannot be told is taken for the case in which nothing is lost.
    case .visible, .unreadable: return true
    case .hidden, .excluded, .notIncluded, .link, .protected, .outsideRoot, .missing, .directory, .notRegular:
      return false
    }
  }
}
