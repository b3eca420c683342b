import FileSessions
import Synchronization
import Workspace

/// The record of a dry run: stands in for the ledger of the engine that it is given to, and makes a row of each file.
///
/// The engine goes through a run as ever, with an overlaid workspace, a service that is none, and this. What it
/// would record stays here; what was recorded before is read from the ledger. A file is done with before the next
/// one is begun, so that what happens in between belongs to it.
package final class Plan: Sendable {
  /// Why a file comes to nothing, where neither the record nor an event tells.
  enum Remark: Sendable {
    case alreadySent
    case ownWork
    case left
    case withheld(Withholding)
  }

  /// What is known of a file so far.
  struct Draft {
    var path: ProjectPath
    var size: Int64
    /// For a part: the file that it is a part of.
    var whole: ProjectPath?
    var isResumed = false
    var remark: Remark?
    var job: Job?
    var session: FileSession?
    var event: RunEvent?
    /// What its handlers reached for while they decided.
    var unknown: (handler: String, point: String)?
    var steps: [PlanRow.Step] = []
  }

  struct State {
    var recipe = ""
    /// The files of the page that is being looked at, in the order in which they were found.
    var drafts: [Draft] = []
    var places: [ProjectPath: Int] = [:]
    /// The parts of those that go in parts, in their order.
    var parts: [ProjectPath: [Draft]] = [:]
    /// Where a part is: its file, and its place among the parts.
    var partPlaces: [ProjectPath: (whole: ProjectPath, index: Int)] = [:]
    /// Those that an earlier run left, which are found once more.
    var resumed: Set<ProjectPath> = []
    var jobs: [JobKey: Job] = [:]
    var sent: [JobKey: [SentVersion]] = [:]
    /// The path of each content that would be sent, by recipe and size; where a recipe sends each once.
    var contents: [String: [Int64: [MD5Digest: ProjectPath]]] = [:]
    var traces: [String: [ProjectPath: Trace]] = [:]
  }

  let base: (any Ledger)?
  let state = Mutex(State())
  private let overlay: Overlay
  private let row: @Sendable (PlanRow) -> Void

  /// - Parameters:
  ///   - base: what was recorded before; nil where there is no record yet. It is only read.
  ///   - overlay: what the workspace of the run writes to.
  ///   - row: takes the rows, in their order.
  package init(over base: (any Ledger)?, overlay: Overlay, row: @escaping @Sendable (PlanRow) -> Void) {
    self.base = base
    self.overlay = overlay
    self.row = row
  }

  // MARK: - What the engine tells

  /// Begins with files that are looked at together.
  func begin(_ files: [(path: ProjectPath, size: Int64)], resumed: Bool = false) {
    state.withLock { state in
      for (path, size) in files where state.places[path] == nil {
        if resumed { state.resumed.insert(path) } else if state.resumed.contains(path) { continue }
        state.places[path] = state.drafts.count
        state.drafts.append(Draft(path: path, size: size, isResumed: resumed))
      }
    }
  }

  func remark(_ path: ProjectPath, _ remark: Remark) {
    change(path) { $0.remark = remark }
  }

  /// Takes a job as an earlier run left it.
  func stands(_ job: Job) {
    change(job.key.path) { $0.job = job }
  }

  /// Ends what was begun: gives its rows.
  func end() {
    let (drafts, parts, recipe) = state.withLock { state in
      // What this very run would put somewhere is told where it would put it.
      let drafts = state.drafts.filter { draft in
        guard case .ownWork? = draft.remark else { return true }
        return !state.traces.values.contains { $0[draft.path] != nil }
      }
      defer {
        state.drafts = []
        state.places = [:]
        state.parts = [:]
        state.partPlaces = [:]
        state.jobs = [:]
        state.sent = [:]
      }
      return (drafts, state.parts, state.recipe)
    }
    for draft in drafts {
      let parts = parts[draft.path] ?? []
      row(draft.row(recipe: recipe, parts: parts))
      for part in parts { row(part.row(recipe: recipe)) }
    }
  }

  /// Notes what a file's handlers cannot be followed beyond.
  package func unknown(_ point: String, handler: String, path: ProjectPath) {
    let steps = overlay.takeChanges().map(PlanRow.Step.change)
    change(path) { draft in
      draft.steps += steps
      if draft.job == nil {
        draft.unknown = draft.unknown ?? (handler, point)
      } else {
        draft.steps.append(.unknown(handler: handler, point))
      }
    }
  }

  /// Notes beyond which point it is not known what discovery would find.
  package func unknownDiscovery(_ point: String) {
    let recipe = state.withLock { $0.recipe }
    var row = PlanRow(recipe: recipe, path: recipe, verdict: .unknown, reason: point)
    row.handler = PlanRow.discover
    self.row(row)
  }

  /// Takes what happens in the run.
  package func show(_ event: RunEvent) {
    switch event {
    case .began(let recipe, _): state.withLock { $0.recipe = recipe }
    case .problem(let path, let message, _): problem(path, message)
    case .opened(let path, let session): change(path) { $0.session = session }
    case .skipped(let path, _), .deferred(let path, _, _), .sent(let path, _), .touched(let path),
      .failed(let path, _, _):
      change(path) { $0.event = event }
    case .waiting(let path, let reason): remark(path, .withheld(reason))
    case .finished(let path, let note): finish(path, note)
    case .stepFailed(let path, let message, _):
      let steps = overlay.takeChanges().map(PlanRow.Step.change)
      change(path) { $0.steps += steps + [.failed(message)] }
    case .comesBack, .resuming, .alive, .foundAll, .decided, .left, .cancelled, .noted, .retrying, .progress,
      .answered, .watching, .heldUp, .caughtUp, .ended:
      break
    }
  }

  private func finish(_ path: ProjectPath, _ note: String) {
    let steps = overlay.takeChanges().map(PlanRow.Step.change)
    // Where nothing was changed, the note says why.
    change(path) { $0.steps += steps.isEmpty ? [.note(note)] : steps }
  }

  /// Says something of a file beside what is done with it.
  func note(_ sentence: String, of path: ProjectPath) {
    change(path) { $0.steps.append(.note(sentence)) }
  }

  private func problem(_ path: String, _ message: String) {
    let recipe = state.withLock { $0.recipe }
    row(PlanRow(recipe: recipe, path: path, verdict: .problem, reason: message))
  }

  private func change(_ path: ProjectPath, _ body: (inout Draft) -> Void) {
    state.withLock { state in
      if let index = state.places[path] {
        body(&state.drafts[index])
      } else if let place = state.partPlaces[path] {
        state.parts[place.whole]?[place.index].change(body)
      }
    }
  }

  /// Takes a job as it would be recorded, and what was done to files up to then.
  func note(_ job: Job) {
    let steps = overlay.takeChanges().map(PlanRow.Step.change)
    change(job.key.path) { draft in
      draft.job = job
      draft.steps += steps
    }
  }
}
