import FileSessions
import Workspace

/// Has the files that a recipe finds now count as sent, without sending them.
///
/// No handler is asked but `discover`. What is under way stays that.
package struct Adoption: Sendable {
  /// What was found, or what came of it.
  package struct Outcome: Sendable {
    /// Files that count as sent from now on, or would.
    package var adopted = 0
    package var bytes: Int64 = 0
    /// Files that counted as sent before.
    package var known = 0
    /// Files that a run is to finish first.
    package var underWay = 0
    package var problems = 0
  }

  /// What stands in the place of a session's id in the record.
  package static let session = "adopted"
  /// What stands in the record of an adopted file.
  static let reason = "adopted: counts as sent, and was not"

  private let engine: Engine

  package init(engine: Engine) {
    self.engine = engine
  }

  /// Counts, and changes nothing.
  package func survey() async throws -> Outcome {
    try await pass { candidates, outcome in
      outcome.adopted += candidates.count
      outcome.bytes += candidates.reduce(0) { $0 + $1.candidate.stamp.size }
    }
  }

  /// Hashes and records.
  package func perform() async throws -> Outcome {
    try await pass { candidates, outcome in
      var changes: [LedgerChange] = []
      for (candidate, earlier) in candidates {
        do throws(WorkspaceError) {
          changes.append(try await change(for: candidate, over: earlier))
          outcome.adopted += 1
          outcome.bytes += candidate.stamp.size
        } catch {
          outcome.problems += 1
          engine.report(.problem(path: candidate.path.string, message: error.message))
        }
      }
      if !changes.isEmpty { _ = try await engine.ledger.record(changes) }
    }
  }

  private typealias Found = (candidate: Candidate, earlier: Job?)

  private func pass(_ body: ([Found], inout Outcome) async throws -> Void) async throws -> Outcome {
    var outcome = Outcome()
    let pages = try CandidatePages(of: try await engine.recipe.discovery(), for: engine)
    while true {
      let page = try await pages.next(Engine.pageSize)
      if page.isEnd { return outcome }
      for problem in page.problems {
        outcome.problems += 1
        engine.report(.problem(path: problem.path, message: problem.message))
      }
      // What is still being written is not what it will be; a marker is no file to send.
      let complete = page.candidates.filter { engine.recipe.settling.withholding($0.path) == nil }
      try await body(try await sort(complete, &outcome), &outcome)
    }
  }

  /// Those that do not count as sent yet.
  private func sort(_ candidates: [Candidate], _ outcome: inout Outcome) async throws -> [Found] {
    let paths = candidates.map(\.path)
    let jobs = try await engine.ledger.jobs(
      profile: engine.profile, recipe: engine.recipe.name, paths: paths)
    let traces = try await engine.ledger.traces(profile: engine.profile, paths: paths)
    var found: [Found] = []
    for candidate in candidates {
      let job = jobs[candidate.path]
      if job?.phase.isUnderWay == true {
        outcome.underWay += 1
      } else if traces[candidate.path]?.stamp == candidate.stamp
        || (job?.phase == .done && job?.stamp == candidate.stamp)
      {
        outcome.known += 1
      } else {
        found.append((candidate, job))
      }
    }
    return found
  }

  private func change(
    for candidate: Candidate, over earlier: Job?
  ) async throws(WorkspaceError) -> LedgerChange {
    let path = candidate.path
    let fingerprint = try await offload { [workspace = engine.workspace] () throws(WorkspaceError) in
      try workspace.fingerprint(of: path)
    }
    guard let fingerprint, fingerprint.stamp == candidate.stamp else {
      throw WorkspaceError(.changed, path: path.string, "\(path) changed while it was read")
    }
    var job = Job(
      key: candidate.key, relative: candidate.relative, phase: .done, stamp: candidate.stamp,
      recipeVersion: engine.recipe.version)
    job.md5 = fingerprint.md5
    job.reason = Self.reason
    job.revision = earlier?.revision ?? 0
    return LedgerChange(
      job,
      sent: SentVersion(size: candidate.stamp.size, md5: fingerprint.md5, sessionID: Self.session))
  }
}
