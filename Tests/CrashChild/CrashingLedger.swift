import FileSessions
import Ingestion
import SQLiteLedger
import Workspace

/// The ledger on SQLite, with an instant before and after each durable write.
struct CrashingLedger: Ledger {
  let base: SQLiteLedger
  let points: CrashPoints

  func record(_ changes: [LedgerChange]) async throws(LedgerError) -> [Job] {
    let phases = Set(changes.map(\.job.phase.rawValue)).sorted().joined(separator: "+")
    return try await points.around("record \(phases)") { () async throws(LedgerError) in
      try await base.record(changes)
    }
  }

  func leave(_ trace: Trace, profile: String) async throws(LedgerError) {
    try await points.around("leave") { () async throws(LedgerError) in
      try await base.leave(trace, profile: profile)
    }
  }

  func settle(request id: Int64) async throws(LedgerError) {
    try await points.around("settle") { () async throws(LedgerError) in try await base.settle(request: id) }
  }

  func split(request id: Int64, into parts: [JobRequest]) async throws(LedgerError) {
    try await points.around("split") { () async throws(LedgerError) in
      try await base.split(request: id, into: parts)
    }
  }

  func forget(_ keys: [JobKey]) async throws(LedgerError) {
    try await points.around("forget") { () async throws(LedgerError) in try await base.forget(keys) }
  }

  // MARK: - Reading

  func jobs(
    profile: String, recipe: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [ProjectPath: Job] {
    try await base.jobs(profile: profile, recipe: recipe, paths: paths)
  }

  func doneStamps(
    profile: String, recipe: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [FileStamp?] {
    try await base.doneStamps(profile: profile, recipe: recipe, paths: paths)
  }

  func unfinished(profile: String, recipe: String) async throws(LedgerError) -> [Job] {
    try await base.unfinished(profile: profile, recipe: recipe)
  }

  func sentVersions(of key: JobKey) async throws(LedgerError) -> [SentVersion] {
    try await base.sentVersions(of: key)
  }

  func otherRecipes(of key: JobKey) async throws(LedgerError) -> [String] {
    try await base.otherRecipes(of: key)
  }

  func hasContent(
    ofSize size: Int64, profile: String, recipe: String
  ) async throws(LedgerError) -> Bool {
    try await base.hasContent(ofSize: size, profile: profile, recipe: recipe)
  }

  func unfinished(
    profile: String, recipe: String, ofSize size: Int64
  ) async throws(LedgerError) -> [Job] {
    try await base.unfinished(profile: profile, recipe: recipe, ofSize: size)
  }

  func sentPath(
    size: Int64, md5: MD5Digest, profile: String, recipe: String
  ) async throws(LedgerError) -> ProjectPath? {
    try await base.sentPath(size: size, md5: md5, profile: profile, recipe: recipe)
  }

  func traces(profile: String, paths: [ProjectPath]) async throws(LedgerError) -> [ProjectPath: Trace] {
    try await base.traces(profile: profile, paths: paths)
  }

  func requests() async throws(LedgerError) -> LedgerRequests { try await base.requests() }

  func jobs(_ selection: JobSelection, after id: Int64, limit: Int) async throws(LedgerError) -> JobPage {
    try await base.jobs(selection, after: id, limit: limit)
  }
}
