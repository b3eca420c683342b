import FileSessions
import Workspace

/// The same content once, in a dry run: what was sent before, and what the dry run would have sent by now.
extension Plan {
  /// Notes what a file has that would be sent.
  func note(_ md5: MD5Digest, of job: Job) {
    state.withLock { state in
      let path = state.contents[job.key.recipe]?[job.stamp.size]?[md5] ?? job.key.path
      state.contents[job.key.recipe, default: [:]][job.stamp.size, default: [:]][md5] = path
    }
  }

  package func hasContent(
    ofSize size: Int64, profile: String, recipe: String
  ) async throws(LedgerError) -> Bool {
    if state.withLock({ $0.contents[recipe]?[size] != nil }) { return true }
    return try await base?.hasContent(ofSize: size, profile: profile, recipe: recipe) ?? false
  }

  package func unfinished(
    profile: String, recipe: String, ofSize size: Int64
  ) async throws(LedgerError) -> [Job] {
    let resumed = state.withLock { $0.resumed }
    return try await base?.unfinished(profile: profile, recipe: recipe, ofSize: size).filter { job in
      !resumed.contains(job.key.path)
    } ?? []
  }

  package func sentPath(
    size: Int64, md5: MD5Digest, profile: String, recipe: String
  ) async throws(LedgerError) -> ProjectPath? {
    if let path = try await base?.sentPath(size: size, md5: md5, profile: profile, recipe: recipe) {
      return path
    }
    return state.withLock { $0.contents[recipe]?[size]?[md5] }
  }
}
