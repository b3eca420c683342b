import FileSessions
import Workspace

/// Does with completed and given-up files what the recipe wants, so that a crash at any point repeats no
/// handler and loses no file.
struct Aftercare: Sendable {
  /// How a step ended.
  enum Ending: Sendable {
    case finished
    case failed(String)
    /// The file stays for now, since other recipes of the run need it; the step is still to be done.
    case putOff
  }

  let recipe: any Recipe
  /// Tells the recipe of statuses; nil where it does not want to know.
  let teller: StatusTeller?
  let ledger: any Ledger
  let workspace: Workspace
  let clock: WallClock
  /// How long a step that failed so often waits.
  let wait: @Sendable (_ tries: Int) -> Duration
  /// How soon a file may come back at the earliest.
  let shortestDeferral: Duration
  let farewell: Farewell
  let report: @Sendable (RunEvent) -> Void

  /// Takes the job's open step to its end. A failure is recorded with the job, and it is tried again by itself.
  func settle(_ job: Job) async throws(LedgerError) -> (job: Job, ending: Ending) {
    var job = job
    guard job.step != nil else { return (job, .finished) }
    do {
      try await handle(&job)
      if try await farewell.isPutOff(job) { return (job, .putOff) }
      try await act(&job)
      return (job, .finished)
    } catch let error as LedgerError {
      throw error
    } catch {
      let message = (error as? Failure)?.message ?? (error as? WorkspaceError)?.message ?? "\(error)"
      let tries = (job.step?.tries ?? 0) + 1
      job.step?.error = message
      job.step?.tries = tries
      job.step?.dueAt = clock.now + wait(tries)
      job = try await ledger.record(LedgerChange(job))
      report(.stepFailed(job.key.path, message, trace: (error as? Failure)?.trace))
      return (job, .failed(message))
    }
  }

  /// Asks the recipe, once, and records its answer.
  private func handle(_ job: inout Job) async throws {
    guard var step = job.step, !step.isHandled else { return }
    let file = SettledFile(job)
    if let failure = job.failure, job.phase == .failed {
      step.action = try await recipe.failed(file, failure: failure)
    } else if let session = job.session {
      teller?.tell(job, session)
      await teller?.settle()
      // Perhaps it was not told: then it is by the next run, before anything follows.
      if Task.isCancelled { throw Failure(.script, "the run was stopped") }
      if recipe.handlesCompleted { step.action = try await recipe.completed(file, session: session) }
    }
    step.isHandled = true
    (step.error, step.tries, step.dueAt) = (nil, nil, nil)
    job.step = step
    if step.action != nil { job = try await ledger.record(LedgerChange(job)) }
  }

  /// Does what is left to do with the file, and closes the step.
  private func act(_ job: inout Job) async throws {
    var trace: Trace?
    // What is wanted for a part is done with the whole, once all of them are sent.
    if job.isPart {
      job.preparation?.action = job.step?.action
      job.step?.action = nil
    }
    switch job.step?.action {
    case nil:
      break
    case .move(let directory)?:
      if let whereabouts = farewell.planned(job.key.path) {
        end(&job, whereabouts)
        break
      }
      trace = try await place(&job, in: directory, .move)
      job.failure?.movedTo = trace?.path.string
    case .copy(let directory)?:
      trace = try await place(&job, in: directory, .copy)
    case .remove?:
      try await remove(&job)
    case .retry(let seconds)?:
      job.phase = .deferred
      job.dueAt = clock.now + max(.seconds(seconds), shortestDeferral)
      job.deciders = nil
      job.reason = job.failure.map { "given up \($0.tries ?? 1)×, to be tried again: \($0.message)" }
    }
    job.step = nil
    if job.phase == .completed { job.phase = .done }
    job = try await ledger.record(LedgerChange(job, trace: trace))
  }

  private func remove(_ job: inout Job) async throws {
    let (path, stamp) = (job.key.path, job.stamp)
    if let whereabouts = farewell.planned(path) { return end(&job, whereabouts) }
    let (workspace, farewell) = (workspace, farewell)
    let note = try await farewell.take(path) {
      try await offload { () throws(WorkspaceError) -> String in
        guard try workspace.exists(path) else {
          return farewell.isTaken(path) ? farewell.gone(path) : "removed"
        }
        guard try workspace.info(path).stamp == stamp else { return Self.leftInPlace }
        try workspace.remove(path)
        farewell.note(path, "removed it")
        return "removed"
      }
    }
    end(&job, note)
  }

  /// Notes what was done with the file, for those who ask later too.
  private func end(_ job: inout Job, _ note: String) {
    job.afterwards = note
    report(.finished(job.key.path, note))
  }

  private static let leftInPlace = "left in place, since it has changed meanwhile"

  /// Puts the file into a directory under a name that is free, and gives the trace that it leaves there.
  private func place(
    _ job: inout Job, in directory: String, _ operation: Placing.Operation
  ) async throws -> Trace? {
    let wanted = try workspace.path(directory).appending(job.relative)
    let (workspace, path, stamp) = (workspace, job.key.path, job.stamp)
    var isRepeated = job.step?.destination != nil
    for number in 1...Self.mostNames {
      let target = try job.step?.destination.map { try workspace.path($0) } ?? wanted.numbered(number)
      if job.step?.destination == nil {
        // Recorded before the file goes there, so that after a crash it is known where to look.
        job.step?.destination = target.string
        job = try await ledger.record(LedgerChange(job))
      }
      let placing = Placing(
        operation: operation, source: path, stamp: stamp, md5: job.preparation?.origin ?? job.md5,
        target: target,
        isRepeated: isRepeated)
      let outcome = try await farewell.take(path, if: operation == .move) {
        try await offload { () throws(WorkspaceError) in try placing.perform(in: workspace) }
      }
      switch outcome {
      case .placed(let trace):
        if operation == .move { farewell.note(path, "moved it to \(target)") }
        end(&job, "\(operation.rawValue) to \(target)")
        return trace
      case .changed:
        end(&job, Self.leftInPlace)
        return nil
      case .gone:
        end(&job, farewell.gone(path))
        return nil
      case .taken:
        job.step?.destination = nil
        isRepeated = false
      }
    }
    throw WorkspaceError(
      .exists, path: wanted.string, "\(wanted) and \(Self.mostNames - 1) numbered names beside it are taken")
  }

  private static let mostNames = 1000
}

extension ProjectPath {
  /// The path itself for 1, and for other numbers one beside it: `a-2.md`.
  func numbered(_ number: Int) throws(WorkspaceError) -> ProjectPath {
    guard number > 1, let parent else { return self }
    return try parent.appending("\(stem)-\(number)\(ext)")
  }
}
