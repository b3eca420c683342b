import FileSessions
import Workspace

/// What happens in a run, in order, for those who watch.
package enum RunEvent: Sendable {
  case began(recipe: String, profile: String)
  /// An earlier run left so many files under way; they come first.
  case resuming(jobs: Int)
  /// A place that could not be looked at, or a handler of the whole run that failed; `trace` as in `Failure`.
  case problem(path: String, message: String, trace: String? = nil)
  case skipped(ProjectPath, reason: String?)
  case deferred(ProjectPath, until: Timestamp, reason: String?)
  /// Not taken, for now: its name is right, and it is not complete.
  case waiting(ProjectPath, Withholding)
  /// It is to be sent as the request says, and waits for a place. Comes again where the file changed under way.
  case decided(ProjectPath, NewFile)
  /// Nothing happened but that the engine looked around: it goes on.
  case alive
  /// Discovery has offered its last files, about which the recipe is asked now.
  case foundAll
  case opened(ProjectPath, FileSession)
  /// So many bytes of the file have been read for sending.
  case progress(ProjectPath, bytes: Int64, of: Int64)
  case sent(ProjectPath, FileSession)
  /// The file's stamp changed, and its content did not.
  case touched(ProjectPath)
  /// Given up. `isNew` is false for what an earlier run gave up and nothing has changed since.
  case failed(ProjectPath, Failure, isNew: Bool)
  /// It failed for a reason that may pass, and has its turn again by itself: then, or at the end of the run.
  case comesBack(ProjectPath, Failure, at: Timestamp?)
  /// What was done with the file afterwards, such as "moved to uploaded/a.md".
  case finished(ProjectPath, String)
  /// The file is sent; what was to be done afterwards failed and will be tried again.
  case stepFailed(ProjectPath, String, trace: String? = nil)
  /// It was decided about, and is left as it stands in the ledger: the run is to end, or the service is away.
  case left(ProjectPath)
  /// The run was cancelled, and so was the session that was open for the file; the next run opens another.
  case cancelled(ProjectPath, FileSession)
  /// A call of the service for it failed for a reason that may pass, and is made again after so long.
  case retrying(ProjectPath, call: String, ServiceError, after: Duration)
  /// Something about a file that a person should know, with which nothing is wrong.
  case noted(ProjectPath, String)
  /// Another process asked for something, and it is done: "2 files are tried again".
  case answered(String)
  /// How a watching engine learns of changes, or something else that it wants to be known.
  case watching(String)
  /// Nothing is begun until then, for this reason, which another event tells people: what a look at the run shows.
  case heldUp(String, until: Timestamp)
  /// Nothing is left to do for a watching engine; what it did since the last time.
  case caughtUp(RunSummary)
  case ended(RunSummary)
}

/// What a run amounted to.
package struct RunSummary: Hashable, Sendable {
  /// Files that discovery offered, and those that an earlier run had left under way.
  package var found = 0
  package var sent = 0
  /// Sent by an earlier run, and unchanged.
  package var alreadyDone = 0
  /// Sent by an earlier run; only the stamp had changed.
  package var touched = 0
  package var skipped = 0
  package var deferred = 0
  /// Not complete yet: still changing, or without their marker.
  package var waiting = 0
  package var rejected = 0
  package var failed = 0
  /// Sent, but what was to be done afterwards failed.
  package var stepsFailed = 0
  /// Places that could not be looked at.
  package var problems = 0
  /// Left for another run, since this one was stopped.
  package var left = 0
  /// Bytes of the files sent.
  package var bytes: Int64 = 0
  package var duration = Duration.zero
  /// Why the run ended before its time.
  package var stop: Stop?

  /// Why a run ends early.
  package enum Stop: Hashable, Sendable {
    /// Somebody asked for it.
    case requested
    /// The service refuses everything, or is away.
    case service(ServiceError)
    /// The ledger cannot be written.
    case ledger(String)
    /// The recipe was stopped too often in a row, and is not asked any more.
    case quarantine(String)
    /// It was allowed no more.
    case limit(Allowance)
    /// Nothing is begun outside of these hours; and when they begin, by the local clock.
    case closed(hours: String, opens: String)
    /// Somebody paused it.
    case paused(Pause)
  }

  package init() {}

  /// Adds what another run, or another part of a run, amounted to.
  package mutating func add(_ other: RunSummary) {
    found += other.found
    sent += other.sent
    alreadyDone += other.alreadyDone
    touched += other.touched
    skipped += other.skipped
    deferred += other.deferred
    waiting += other.waiting
    rejected += other.rejected
    failed += other.failed
    stepsFailed += other.stepsFailed
    problems += other.problems
    left += other.left
    bytes += other.bytes
    duration += other.duration
    stop = stop ?? other.stop
  }

  /// Whether every file ended as it should.
  package var isClean: Bool { rejected + failed + stepsFailed + problems == 0 }
}
