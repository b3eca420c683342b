import FileSessions
import Synchronization

/// Tells a recipe of the statuses that the sessions of one file reach: one after the other, in order, and while the
/// file's bytes go on.
///
/// After a crash a status may be told once more; none is left out.
final class StatusTeller: Sendable {
  private struct State {
    var tasks: [Task<Void, Never>] = []
    /// What was told last.
    var last: FileSession?
    var problems = 0
  }

  private let recipe: any Recipe
  private let report: @Sendable (RunEvent) -> Void
  private let state = Mutex(State())

  init(recipe: any Recipe, report: @escaping @Sendable (RunEvent) -> Void) {
    self.recipe = recipe
    self.report = report
  }

  /// How often the recipe failed.
  var problems: Int { state.withLock { $0.problems } }

  /// Tells of a session's status and does not wait for the recipe.
  func tell(_ job: Job, _ session: FileSession) {
    let file = SettledFile(job)
    state.withLock { state in
      guard state.last?.id != session.id || state.last?.status != session.status else { return }
      state.last = session
      let before = state.tasks.last
      // Waited for, and cancelled with the passage, in `settle`.
      state.tasks.append(
        Task {
          await before?.value
          await self.call(file, session)
        })
    }
  }

  /// Waits until all that was told has been heard. Called at the end at the latest.
  func settle() async {
    let tasks = state.withLock { $0.tasks }
    await withTaskCancellationHandler {
      await tasks.last?.value
    } onCancel: {
      for task in tasks { task.cancel() }
    }
  }

  private func call(_ file: SettledFile, _ session: FileSession) async {
    if Task.isCancelled { return }
    do throws(Failure) {
      try await recipe.status(file, session: session)
    } catch {
      // It observes: the file goes its way.
      if Task.isCancelled { return }
      state.withLock { $0.problems += 1 }
      report(.problem(path: file.key.path.string, message: error.message, trace: error.trace))
    }
  }
}
