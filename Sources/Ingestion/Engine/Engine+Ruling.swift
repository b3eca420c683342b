import FileSessions
import Workspace

extension Engine {
  /// The job that a ruling makes of a candidate; what an earlier version of the file went through is forgotten.
  func job(for candidate: Candidate, by ruling: Ruling?, over earlier: Job?) async -> Job {
    var job = Job(
      key: candidate.key, relative: candidate.relative, phase: .failed, stamp: candidate.stamp,
      recipeVersion: recipe.version)
    job.revision = earlier?.revision ?? 0
    job.offered = candidate.data
    job.count(on: earlier)
    switch ruling {
    case .send(let wishes):
      await prepare(&job, wishes)
    case .skip(let reason):
      job.phase = .skipped
      job.reason = reason
    case .postpone(let delay, let reason):
      job.phase = .deferred
      job.dueAt = clock.now + delay
      job.reason = reason
    case .reject(let reason):
      job.failure = Failure(.rejected, reason)
    case .fault(let failure):
      job.failure = failure
    case .unasked, nil:
      job.failure = Failure(.script, "The recipe \(recipe.name) gave no ruling.")
    }
    if job.phase == .failed, let failure = job.failure { fail(&job, failure) }
    return job
  }

  /// Fills in what the recipe left to the engine, and checks the limits that the API publishes.
  private func prepare(_ job: inout Job, _ wishes: Wishes) async {
    let path = job.key.path
    job.ownData = wishes.data
    let mimeType: String
    if let wished = wishes.mimeType {
      mimeType = wished
    } else {
      do throws(WorkspaceError) {
        mimeType = try await offload { [workspace, types] () throws(WorkspaceError) in
          if let known = MIMETypes.type(ofName: path.name) { return known }
          return try types.mimeType(name: path.name, content: workspace.open(path))
        }
      } catch {
        job.failure = Failure(.file, error.message)
        return
      }
    }
    let request = NewFile(
      filename: wishes.filename ?? path.name, mimeType: mimeType, sizeBytes: job.stamp.size,
      purpose: wishes.purpose)
    job.request = request
    do throws(ServiceError) {
      try FilePolicy.standard.checkGeneralLimits(of: request)
    } catch {
      job.failure = Failure(.limit, error.message, code: error.code, param: error.param)
      return
    }
    job.idempotencyKey = newKey()
    job.phase = .decided
  }

  /// Tells how a file stands that is not being sent.
  func reportStanding(_ job: Job, isNew: Bool) {
    switch job.phase {
    case .skipped: report(.skipped(job.key.path, reason: job.reason))
    case .deferred: report(.deferred(job.key.path, until: job.dueAt ?? clock.now, reason: job.reason))
    case .failed where job.comesBack:
      if let failure = job.failure {
        report(.comesBack(job.key.path, failure, at: isWatching ? job.dueAt : nil))
      }
    case .failed:
      if let failure = job.failure { report(.failed(job.key.path, failure, isNew: isNew)) }
    case .decided, .opened, .uploaded, .completed, .done: break
    }
  }
}
