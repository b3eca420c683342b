import FileSessions
import Workspace

/// An engine's part in a gate.
package final class GateSeat: Sendable {
  private let gate: Gate
  private let number: Int

  init(gate: Gate, number: Int) {
    self.gate = gate
    self.number = number
  }

  deinit { gate.end(number) }

  /// On what terms places are given.
  var terms: Gate.Terms { gate.terms }

  /// Notes that the recipe has another name.
  package func rename(_ recipe: String) { gate.rename(number, recipe) }

  /// Gives the part up: the engine has nothing under way any more.
  package func leave() { gate.end(number) }

  /// Asks for a place. One that has to wait asks again when `bell` rings, or withdraws.
  func enter(_ load: Load, bell: Bell) -> Gate.Answer { gate.enter(number, load, bell) }

  /// Waits no more.
  func withdraw() { gate.withdraw(number) }

  /// Whether there are other engines.
  var isShared: Bool { gate.company(of: number).recipes.count > 1 }

  /// What is this engine's duty in a request for jobs.
  func duty(in request: JobRequest) -> RequestDuty {
    let (own, recipes, isFirst) = gate.company(of: number)
    return RequestDuty(of: request.selection, for: own, among: recipes, isFirst: isFirst)
  }
}

/// What an engine tells the others, and asks them, before it takes a file away: see ``Departures``.
extension GateSeat {
  private var departures: Departures { gate.departures }

  /// The engine begins; `bell` is rung when files of its that wait may go.
  func begin(bell: Bell) { departures.begin(number, bell: bell) }

  /// It begins to look through all that its recipe takes.
  func look(_ discovery: Discovery, of recipe: any Recipe, now: Timestamp) {
    departures.look(
      number, Departures.Scope(discovery, recipe.settling), version: recipe.version, now: now)
  }

  /// What it has found is done with, and it goes on with what comes.
  func idle() { departures.idle(number) }

  /// Nothing is left for it to do but to take files away.
  func rest() { departures.rest(number) }

  /// Its run is over; early, if it was stopped.
  func end(early: Bool) { departures.end(number, early: early) }

  /// Whether another engine may look for a file.
  func isWanted(_ path: ProjectPath) -> Bool { departures.isWanted(path, besides: number) }

  /// Has a file wait until the others have got on with it, and gives them; none where it need not wait.
  func hold(_ path: ProjectPath, now: Timestamp) -> [Departures.Rival] {
    departures.hold(path, for: number, now: now)
  }

  /// A file waits no more.
  func release(_ path: ProjectPath) { departures.release(path, for: number) }

  /// Whether a file waits.
  func isWaiting(_ path: ProjectPath) -> Bool { departures.isWaiting(path, for: number) }

  /// Asks again about a file that waits.
  func remind(_ path: ProjectPath) { departures.remind(path, for: number) }

  /// Whether it was not told yet that a file stays.
  func note(_ path: ProjectPath) -> Bool { departures.note(path, for: number) }

  /// The engine has got on with a file.
  func pass(_ path: ProjectPath) { departures.pass(path, by: number) }

  /// The files that are to be asked about again.
  func takeDue() -> [ProjectPath] { departures.takeDue(number) }

  /// Whether files wait that may go in this run.
  var hasOpenDepartures: Bool { departures.isOpen(number) }

  /// How many files wait, at least.
  var waiting: (files: Int, isMore: Bool) { departures.count(number) }

  /// The engine has taken a file away that others may look for.
  func take(_ path: ProjectPath, _ note: String) { departures.take(path, by: number, note) }

  /// In a dry run: notes that a file would have to stay for this engine beyond the run, and why.
  func keep(_ path: ProjectPath, _ why: String) { departures.keep(path, for: number, why) }

  /// In a dry run: the other recipe that a file would have to stay for, and why.
  func keeper(of path: ProjectPath) -> (recipe: String, why: String)? {
    departures.keeper(of: path, besides: number)
  }

  /// What another engine did with a file.
  func whereabouts(of path: ProjectPath) -> String? { departures.whereabouts(of: path, besides: number) }
}
