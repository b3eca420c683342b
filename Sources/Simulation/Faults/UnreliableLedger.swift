import FileSessions
import Ingestion
import Workspace

/// A ledger whose disk can be full, and whose process can die at any write.
package struct UnreliableLedger: Ledger {
  private let base: any Ledger
  private let fate: Fate
  private static let failure = LedgerError(.unavailable, "database or disk is full")

  package init(_ base: any Ledger, fate: @escaping Fate) {
    self.base = base
    self.fate = fate
  }

  private func pass<Value>(
    _ call: Call, _ work: () async throws(LedgerError) -> Value
  ) async throws(LedgerError) -> Value {
    switch fate(call) {
    case nil:
      return try await work()
    case .dying?, .lost?:
      _ = try await work()
      throw Self.failure
    case .refused?, .corrupted?, .full?, .dead?:
      throw Self.failure
    }
  }

  package func record(_ changes: [LedgerChange]) async throws(LedgerError) -> [Job] {
    try await pass(.record) { () async throws(LedgerError) in try await base.record(changes) }
  }

  package func leave(_ trace: Trace, profile: String) async throws(LedgerError) {
    try await pass(.leave) { () async throws(LedgerError) in try await base.leave(trace, profile: profile) }
  }

  package func jobs(
    profile: String, recipe: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [ProjectPath: Job] {
    try await base.jobs(profile: profile, recipe: recipe, paths: paths)
  }

  package func unfinished(profile: String, recipe: String) async throws(LedgerError) -> [Job] {
    try await base.unfinished(profile: profile, recipe: recipe)
  }

  package func sentVersions(of key: JobKey) async throws(LedgerError) -> [SentVersion] {
    try await base.sentVersions(of: key)
  }

  package func hasContent(
    ofSize size: Int64, profile: String, recipe: String
  ) async throws(LedgerError) -> Bool {
    try await base.hasContent(ofSize: size, profile: profile, recipe: recipe)
  }

  package func unfinished(
    profile: String, recipe: String, ofSize size: Int64
  ) async throws(LedgerError) -> [Job] {
    try await base.unfinished(profile: profile, recipe: recipe, ofSize: size)
  }

  package func sentPath(
    size: Int64, md5: MD5Digest, profile: String, recipe: String
  ) async throws(LedgerError) -> ProjectPath? {
    try await base.sentPath(size: size, md5: md5, profile: profile, recipe: recipe)
  }

  package func traces(
    profile: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [ProjectPath: Trace] {
    try await base.traces(profile: profile, paths: paths)
  }

  package func requests() async throws(LedgerError) -> LedgerRequests { try await base.requests() }

  package func settle(request id: Int64) async throws(LedgerError) {
    try await pass(.record) { () async throws(LedgerError) in try await base.settle(request: id) }
  }

  package func split(request id: Int64, into parts: [JobRequest]) async throws(LedgerError) {
    try await pass(.record) { () async throws(LedgerError) in try await base.split(request: id, into: parts) }
  }

  package func otherRecipes(of key: JobKey) async throws(LedgerError) -> [String] {
    try await base.otherRecipes(of: key)
  }

  package func jobs(
    _ selection: JobSelection, after id: Int64, limit: Int
  ) async throws(LedgerError) -> JobPage { try await base.jobs(selection, after: id, limit: limit) }

  package func forget(_ keys: [JobKey]) async throws(LedgerError) {
    try await pass(.record) { () async throws(LedgerError) in try await base.forget(keys) }
  }
}
