import FileSessions
import Workspace

/// The durable record of jobs.
///
/// What a call has returned from survives a crash and a power cut. Changes are compare-and-set on
/// ``Job/revision``: of two that start from the same revision the second throws ``LedgerError/stale``.
package protocol Ledger: Sendable {
  /// The jobs that are there for these paths.
  func jobs(profile: String, recipe: String, paths: [ProjectPath]) async throws(LedgerError) -> [ProjectPath:
    Job]

  /// The stamps of what was sent, in the order of `paths`; nil for what is not ``Phase/done``.
  ///
  /// All that has to be known of a file that has not changed, and read many times faster than its job.
  func doneStamps(profile: String, recipe: String, paths: [ProjectPath]) async throws(LedgerError)
    -> [FileStamp?]

  /// Jobs that an earlier run left under way, oldest first: sessions that may be open, steps not yet done.
  func unfinished(profile: String, recipe: String) async throws(LedgerError) -> [Job]

  /// Records changes, all or none, and gives the jobs back with their new revisions.
  func record(_ changes: [LedgerChange]) async throws(LedgerError) -> [Job]

  /// What was ever sent for this key.
  func sentVersions(of key: JobKey) async throws(LedgerError) -> [SentVersion]

  /// For which other recipes a path was sent to the same destination.
  func otherRecipes(of key: JobKey) async throws(LedgerError) -> [String]

  // What `dedupe` asks.

  /// Whether content of this size was sent for a recipe, or is under way.
  func hasContent(ofSize size: Int64, profile: String, recipe: String) async throws(LedgerError) -> Bool

  /// The jobs of this size for which a session may be open.
  func unfinished(profile: String, recipe: String, ofSize size: Int64) async throws(LedgerError) -> [Job]

  /// The path from which this content was sent first; nil when it was not.
  func sentPath(
    size: Int64, md5: MD5Digest, profile: String, recipe: String
  ) async throws(LedgerError) -> ProjectPath?

  /// The traces that are there for these paths.
  func traces(profile: String, paths: [ProjectPath]) async throws(LedgerError) -> [ProjectPath: Trace]

  /// Remembers a file that Moontide itself wrote.
  func leave(_ trace: Trace, profile: String) async throws(LedgerError)

  /// The directories in which Moontide itself put files, some of them where there are very many.
  func placesOfTraces(profile: String) async throws(LedgerError) -> [ProjectPath]

  // What people ask of a ledger while a run owns it. One that nobody else can reach has none of it.

  /// What is asked for and not done yet, and what is paused.
  func requests() async throws(LedgerError) -> LedgerRequests

  /// Notes that a request is done.
  func settle(request id: Int64) async throws(LedgerError)

  /// Puts others in the place of a request, all in one; nothing where it is not there any more.
  func split(request id: Int64, into parts: [JobRequest]) async throws(LedgerError)

  /// The jobs of a selection, a page at a time.
  ///
  /// - Parameter id: ``JobPage/next`` of the page before; 0 to begin.
  func jobs(_ selection: JobSelection, after id: Int64, limit: Int) async throws(LedgerError) -> JobPage

  /// Takes all that is known of a job out of the ledger, what was sent for it included. Those that were skipped for
  /// having its content are asked about again.
  func forget(_ keys: [JobKey]) async throws(LedgerError)
}

extension Ledger {
  package func otherRecipes(of key: JobKey) async throws(LedgerError) -> [String] { [] }
  package func placesOfTraces(profile: String) async throws(LedgerError) -> [ProjectPath] { [] }

  package func doneStamps(
    profile: String, recipe: String, paths: [ProjectPath]
  ) async throws(LedgerError) -> [FileStamp?] {
    let jobs = try await jobs(profile: profile, recipe: recipe, paths: paths)
    return paths.map { path in jobs[path].flatMap { $0.phase == .done ? $0.stamp : nil } }
  }

  package func requests() async throws(LedgerError) -> LedgerRequests { LedgerRequests() }
  package func settle(request id: Int64) async throws(LedgerError) {}
  package func split(request id: Int64, into parts: [JobRequest]) async throws(LedgerError) {}
  package func jobs(
    _ selection: JobSelection, after id: Int64, limit: Int
  ) async throws(LedgerError) -> JobPage { JobPage() }
  package func forget(_ keys: [JobKey]) async throws(LedgerError) {}
}

/// One change of a job, and what becomes true in the same instant.
package struct LedgerChange: Sendable {
  package var job: Job
  /// Content that is now sent.
  package var sent: SentVersion?
  /// A file that is now where Moontide put it.
  package var trace: Trace?

  package init(_ job: Job, sent: SentVersion? = nil, trace: Trace? = nil) {
    self.job = job
    self.sent = sent
    self.trace = trace
  }
}

/// Why the ledger could not do what it was asked.
package struct LedgerError: Error, Sendable, CustomStringConvertible {
  package enum Code: Sendable, Hashable {
    /// Somebody else changed the job meanwhile.
    case stale
    /// Another process owns the ledger.
    case owned
    /// The database cannot be used.
    case unavailable
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}

extension Ledger {
  /// Records one change.
  package func record(_ change: LedgerChange) async throws(LedgerError) -> Job {
    guard let job = try await record([change]).first else {
      throw LedgerError(.unavailable, "The ledger lost a change of \(change.job.key.path).")
    }
    return job
  }
}
