import FileSessions
import Workspace

/// What is seen to before and after a file is taken away, where other recipes of the run may look for it too.
struct Farewell: Sendable {
  let seat: GateSeat
  let recipe: String
  let ledger: any Ledger
  let workspace: Workspace
  let clock: WallClock
  /// Whether nothing is really taken away, and one recipe is done with before the next one begins.
  let isPlanned: Bool
  let report: @Sendable (RunEvent) -> Void

  /// Whether a file has to stay, for now, since others still need it. In a dry run it is told for whom.
  func isPutOff(_ job: Job) async throws(LedgerError) -> Bool {
    guard !job.isPart, job.step?.action?.takesAway == true else { return false }
    let path = job.key.path
    if isPlanned {
      guard let keeper = seat.keeper(of: path) else { return false }
      report(.finished(path, Self.stay(for: keeper.recipe, keeper.why)))
      return true
    }
    // From here on it is told of what the others do: nothing happens unseen between the look and the wait.
    let known = seat.hold(path, now: clock.now)
    if known.isEmpty { return false }
    let rivals = await offload { [workspace] in
      // What is gone, or another file by now, is nobody's any more.
      guard (try? workspace.info(path).stamp) == job.stamp else { return [] as [Departures.Rival] }
      return known.filter { $0.scope.offers(path, in: workspace) }
    }
    var waits = false
    for rival in rivals {
      let others = try await ledger.jobs(profile: job.key.profile, recipe: rival.recipe, paths: [path])
      let record = others[path].flatMap { $0.stands(for: rival.version) ? $0 : nil }
      switch Departure(past: rival.state, job: record, stamp: job.stamp) {
      case .free: continue
      case .wait: waits = true
      case .stay(let why):
        waits = true
        if seat.note(path) {
          report(.noted(path, Self.stay(for: rival.recipe, why)))
        }
      }
    }
    if !waits { seat.release(path) }
    return waits
  }

  private static func stay(for recipe: String, _ why: String) -> String {
    "stays until \(recipe) is done with it, which \(why)"
  }

  /// Does what takes a file away. In a dry run those that come after it find the file as it was.
  func take<Value>(
    _ path: ProjectPath, if isTaken: Bool = true, _ deed: () async throws -> Value
  ) async throws -> Value {
    guard isPlanned, isTaken, seat.isWanted(path) else { return try await deed() }
    let before = workspace.overlaidState(of: path)
    let value = try await deed()
    workspace.putBack(before)
    return value
  }

  /// Notes where a file went, for others that look for it.
  func note(_ path: ProjectPath, _ what: String) {
    if seat.isWanted(path) { seat.take(path, "\(recipe) \(what)") }
  }

  /// Whether another recipe took it away.
  func isTaken(_ path: ProjectPath) -> Bool { seat.whereabouts(of: path) != nil }

  /// In a dry run: where the file would have gone before it is this recipe's turn.
  func planned(_ path: ProjectPath) -> String? {
    isPlanned && isTaken(path) ? gone(path) : nil
  }

  /// What is said of a file that is to be taken away and is not there.
  func gone(_ path: ProjectPath) -> String {
    "is not there any more" + (seat.whereabouts(of: path).map { ": \($0)" } ?? "")
  }
}
