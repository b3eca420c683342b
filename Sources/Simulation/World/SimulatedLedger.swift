import FileSessions
import Ingestion
import Synchronization
import Workspace

/// A ledger in memory: what a call has returned from is kept, whatever becomes of the run.
package final class SimulatedLedger: Ledger {
  private struct State {
    var jobs: [JobKey: Job] = [:]
    /// The keys in the order in which they were first recorded.
    var order: [JobKey] = []
    var sent: [JobKey: [SentVersion]] = [:]
    var traces: [String: [ProjectPath: Trace]] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  /// All jobs, in the order in which they were first recorded.
  package var jobs: [Job] { state.withLock { state in state.order.compactMap { state.jobs[$0] } } }

  package func jobs(
    profile: String, recipe: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [ProjectPath: Job] {
    state.withLock { state in
      var found: [ProjectPath: Job] = [:]
      for path in paths { found[path] = state.jobs[JobKey(profile: profile, recipe: recipe, path: path)] }
      return found
    }
  }

  package func unfinished(profile: String, recipe: String) async throws(LedgerError) -> [Job] {
    jobs.filter { job in
      job.key.profile == profile && job.key.recipe == recipe && (job.phase.isUnderWay || job.step != nil)
    }
  }

  package func record(_ changes: [LedgerChange]) async throws(LedgerError) -> [Job] {
    try state.withLock { (state) throws(LedgerError) in
      for change in changes where (state.jobs[change.job.key]?.revision ?? 0) != change.job.revision {
        throw LedgerError(.stale, "The job of \(change.job.key.path) was changed meanwhile.")
      }
      return changes.map { change in
        var job = change.job
        job.revision += 1
        if state.jobs.updateValue(job, forKey: job.key) == nil { state.order.append(job.key) }
        if let sent = change.sent { state.sent[job.key, default: []].append(sent) }
        if let trace = change.trace { state.traces[job.key.profile, default: [:]][trace.path] = trace }
        return job
      }
    }
  }

  package func sentVersions(of key: JobKey) async throws(LedgerError) -> [SentVersion] {
    state.withLock { $0.sent[key] ?? [] }
  }

  package func hasContent(
    ofSize size: Int64, profile: String, recipe: String
  ) async throws(LedgerError) -> Bool {
    let isSent = state.withLock { state in
      state.sent.contains { key, versions in
        key.profile == profile && key.recipe == recipe && versions.contains { $0.size == size }
      }
    }
    guard !isSent else { return true }
    return try await !unfinished(profile: profile, recipe: recipe, ofSize: size).isEmpty
  }

  package func unfinished(
    profile: String, recipe: String, ofSize size: Int64
  ) async throws(LedgerError) -> [Job] {
    try await unfinished(profile: profile, recipe: recipe).filter { job in
      job.stamp.size == size && job.phase.isUnderWay && job.phase != .completed
    }
  }

  package func sentPath(
    size: Int64, md5: MD5Digest, profile: String, recipe: String
  ) async throws(LedgerError) -> ProjectPath? {
    state.withLock { state in
      state.order.first { key in
        key.profile == profile && key.recipe == recipe
          && (state.sent[key] ?? []).contains { $0.size == size && $0.md5 == md5 }
      }?.path
    }
  }

  package func traces(
    profile: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [ProjectPath: Trace] {
    state.withLock { state in
      let wanted = Set(paths)
      return (state.traces[profile] ?? [:]).filter { wanted.contains($0.key) }
    }
  }

  package func leave(_ trace: Trace, profile: String) async throws(LedgerError) {
    state.withLock { $0.traces[profile, default: [:]][trace.path] = trace }
  }
}
