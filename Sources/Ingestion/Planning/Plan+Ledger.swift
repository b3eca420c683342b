import FileSessions
import Workspace

/// The ledger as it would be: what was recorded before, and over it what the dry run would have recorded.
extension Plan: Ledger {
  package func jobs(
    profile: String, recipe: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [ProjectPath: Job] {
    var jobs = try await base?.jobs(profile: profile, recipe: recipe, paths: paths) ?? [:]
    state.withLock { state in
      for path in paths {
        if let job = state.jobs[JobKey(profile: profile, recipe: recipe, path: path)] { jobs[path] = job }
      }
    }
    return jobs
  }

  package func unfinished(profile: String, recipe: String) async throws(LedgerError) -> [Job] {
    try await base?.unfinished(profile: profile, recipe: recipe) ?? []
  }

  package func record(_ changes: [LedgerChange]) async throws(LedgerError) -> [Job] {
    changes.map { change in
      var job = change.job
      job.revision += 1
      state.withLock { state in
        state.jobs[job.key] = job
        if let sent = change.sent { state.sent[job.key, default: []].append(sent) }
        if let trace = change.trace { state.traces[job.key.profile, default: [:]][trace.path] = trace }
      }
      note(job)
      return job
    }
  }

  package func sentVersions(of key: JobKey) async throws(LedgerError) -> [SentVersion] {
    let before = try await base?.sentVersions(of: key) ?? []
    return before + state.withLock { $0.sent[key] ?? [] }
  }

  package func traces(
    profile: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [ProjectPath: Trace] {
    var traces = try await base?.traces(profile: profile, paths: paths) ?? [:]
    state.withLock { state in
      for path in paths {
        if let trace = state.traces[profile]?[path] { traces[path] = trace }
      }
    }
    return traces
  }

  package func leave(_ trace: Trace, profile: String) async throws(LedgerError) {
    state.withLock { $0.traces[profile, default: [:]][trace.path] = trace }
  }
}
