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

  package func hasContent(
    ofSize size: Int64, profile: String, recipe: String
  ) async throws(LedgerError) -> Bool {
    if try await base?.hasContent(ofSize: size, profile: profile, recipe: recipe) == true { return true }
    return state.withLock { state in
      state.sent.contains { key, versions in
        key.profile == profile && key.recipe == recipe && versions.contains { $0.size == size }
      }
    }
  }

  package func unfinished(
    profile: String, recipe: String, ofSize size: Int64
  ) async throws(LedgerError) -> [Job] {
    try await base?.unfinished(profile: profile, recipe: recipe, ofSize: size) ?? []
  }

  package func sentPath(
    size: Int64, md5: MD5Digest, profile: String, recipe: String
  ) async throws(LedgerError) -> ProjectPath? {
    if let path = try await base?.sentPath(size: size, md5: md5, profile: profile, recipe: recipe) {
      return path
    }
    return state.withLock { state in
      state.sent.filter { key, versions in
        key.profile == profile && key.recipe == recipe
          && versions.contains { $0.size == size && $0.md5 == md5 }
      }.keys.map(\.path).min { $0.string < $1.string }
    }
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
