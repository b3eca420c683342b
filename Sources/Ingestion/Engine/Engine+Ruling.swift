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
    case .send(let wishes): await prepare(&job, wishes)
    case .sendParts(let parts): await prepare(&job, parts)
    case .skip(let reason, let decider):
      job.phase = .skipped
      (job.reason, job.deciders) = (reason, decider)
    case .postpone(let delay, let reason, let decider):
      job.phase = .deferred
      job.dueAt = clock.now + max(delay, shortestDeferral)
      (job.reason, job.deciders) = (reason, decider)
    case .reject(let reason, let decider):
      job.failure = Failure(.rejected, reason)
      job.deciders = decider
    case .fault(let failure):
      job.failure = failure
    case .unasked, nil:
      job.failure = Failure(.script, "The recipe \(recipe.name) gave no ruling.")
    }
    if job.phase == .failed, let failure = job.failure { fail(&job, failure) }
    return job
  }

  /// A watching engine would do nothing else than ask again and again.
  var shortestDeferral: Duration { isWatching ? .seconds(1) : .zero }

  /// Makes the request of what the recipe wants, and the key that it is sent under.
  private func prepare(_ job: inout Job, _ wishes: Wishes) async {
    job.ownData = wishes.data
    job.deciders = recipe.deciders
    do throws(Failure) {
      if let content = wishes.content {
        job.preparation = Preparation(origin: try await originMD5(of: job))
        job.preparation?.content = content
      }
      let request = try await request(for: job, wishes)
      job.request = request
      try check(request)
    } catch {
      job.failure = error
      return
    }
    job.idempotencyKey = newKey()
    job.phase = .decided
  }

  /// The same for a file that goes in parts: their requests are recorded with it.
  private func prepare(_ job: inout Job, _ parts: [PreparedPart]) async {
    job.deciders = recipe.deciders
    do throws(Failure) {
      var preparation = Preparation(origin: try await originMD5(of: job))
      for part in parts {
        guard let content = part.wishes.content else { continue }
        let request = try await request(for: job, part.wishes)
        do throws(Failure) {
          try check(request)
        } catch {
          throw error.about(part: part.name)
        }
        preparation.parts.append(
          Preparation.Part(name: part.name, content: content, request: request, data: part.wishes.data?.json))
      }
      job.preparation = preparation
    } catch {
      job.failure = error
      return
    }
    job.idempotencyKey = newKey()
    job.phase = .decided
  }

  /// Fills in what the recipe left to the engine.
  private func request(for job: Job, _ wishes: Wishes) async throws(Failure) -> NewFile {
    let name = wishes.content?.name ?? job.key.path.name
    let mimeType: String
    if let wished = wishes.mimeType {
      mimeType = wished
    } else {
      do throws(WorkspaceError) {
        mimeType = try await offload { [workspace, types] () throws(WorkspaceError) in
          if let known = MIMETypes.type(ofName: name) { return known }
          if let content = wishes.content {
            return try types.mimeType(name: name, content: content.open(for: job.key, in: workspace))
          }
          return try types.mimeType(name: name, content: workspace.open(job.key.path))
        }
      } catch {
        throw Failure(.file, error.message)
      }
    }
    return NewFile(
      filename: wishes.filename ?? name, mimeType: mimeType,
      sizeBytes: wishes.content?.stamp.size ?? job.stamp.size, purpose: wishes.purpose)
  }

  /// Checks the limits that the API publishes.
  private func check(_ request: NewFile) throws(Failure) {
    do throws(ServiceError) {
      try FilePolicy.standard.checkGeneralLimits(of: request)
    } catch {
      throw Failure(.limit, error.message, code: error.code, param: error.param)
    }
  }

  /// The md5 of a file that something was made from: proof, later on, that it is still the same.
  private func originMD5(of job: Job) async throws(Failure) -> MD5Digest {
    do throws(WorkspaceError) {
      let fingerprint = try await offload { [workspace] () throws(WorkspaceError) in
        try workspace.fingerprint(of: job.key.path)
      }
      if let fingerprint, fingerprint.stamp == job.stamp { return fingerprint.md5 }
    } catch {
      throw Failure(.file, error.message)
    }
    throw Failure(.changing, "The file changed while it was prepared.")
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
