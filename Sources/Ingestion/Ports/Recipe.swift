import FileSessions
import Workspace

/// What the engine asks of a recipe, whatever it is written in.
package protocol Recipe: Sendable {
  /// The name under which jobs are kept.
  var name: String { get }

  /// Changes when the recipe's text or its arguments do: then everything not yet sent is asked again.
  var version: String { get }

  /// The handlers that decide about a file that is sent, with their places: `accept (notes.lua:7), rename (notes.lua:9)`.
  var deciders: String? { get }

  /// Whether ``completed(_:session:)`` has anything to do.
  var handlesCompleted: Bool { get }

  /// Whether ``failed(_:failure:)`` has anything to do.
  var handlesFailed: Bool { get }

  /// Whether ``status(_:session:)`` has anything to do.
  var handlesStatus: Bool { get }

  /// Why the recipe is not to be asked any more; nil while it may be. It was stopped too often in a row.
  var quarantine: String? { get }

  /// When a file counts as complete.
  var settling: Settling { get }

  /// What is done with a file that was sent before and has new content.
  var changed: ChangePolicy { get }

  /// Whether deciding makes files, so that not too much is decided before it is sent.
  var prepares: Bool { get }

  /// Whether the same bytes are sent only once, from whatever path.
  var sendsContentOnce: Bool { get }

  /// When failed calls to the service are made again; nil: as the engine does it.
  var retries: RetryPolicy? { get }

  /// How often a watching engine takes discovery again; nil: as the engine sees fit.
  var rediscovery: Duration? { get }

  /// How many of its files are under way at once, of the places that there are; nil: any number.
  var concurrency: Int? { get }

  /// The order in which its candidates are taken; nil: as they are found.
  var order: CandidateOrder? { get }

  /// Which files there are.
  func discovery() async throws(Failure) -> Discovery

  /// What to do with each candidate, in their order. A fault of one is that one's ruling.
  func decide(_ candidates: [Candidate]) async -> [Ruling]

  /// The same, telling each ruling as soon as it is there: `each` is called once with every candidate's index, in any
  /// order and on any thread.
  func decide(_ candidates: [Candidate], each: @escaping @Sendable (Int, Ruling) -> Void) async

  /// The file's session is `COMPLETED`; gives what is to be done with the file, if anything.
  func completed(_ file: SettledFile, session: FileSession) async throws(Failure) -> AfterAction?

  /// The file was given up; gives what is to be done with it, if anything.
  func failed(_ file: SettledFile, failure: Failure) async throws(Failure) -> AfterAction?

  /// A session of the file has reached a status, which the recipe may observe.
  func status(_ file: SettledFile, session: FileSession) async throws(Failure)

  /// The run is over, or a watching engine has nothing left to do.
  func summary(_ summary: RunSummary) async throws(Failure)
}

extension Recipe {
  package var deciders: String? { nil }
  package var settling: Settling { Settling() }
  package var changed: ChangePolicy { .send }
  package var sendsContentOnce: Bool { false }
  package var retries: RetryPolicy? { nil }
  package var rediscovery: Duration? { nil }
  package var prepares: Bool { false }
  package var concurrency: Int? { nil }
  package var order: CandidateOrder? { nil }
  package var handlesStatus: Bool { false }

  package func status(_ file: SettledFile, session: FileSession) async throws(Failure) {}

  package func decide(_ candidates: [Candidate], each: @escaping @Sendable (Int, Ruling) -> Void) async {
    for (index, ruling) in await decide(candidates).enumerated() { each(index, ruling) }
  }
}

/// Where candidates come from.
package enum Discovery: Sendable {
  /// A walk below a directory of the project.
  case walk(WalkSettings)
  /// Files that the recipe names by itself, page by page, until nil. A page may be empty without being the end.
  case named(@Sendable () async throws(Failure) -> [NamedFile]?)
}

/// A file that a recipe names.
package struct NamedFile: Hashable, Sendable {
  package var path: ProjectPath
  /// What is to stay with its job.
  package var data: JobData?

  package init(_ path: ProjectPath, data: JobData? = nil) {
    self.path = path
    self.data = data
  }
}

/// A walk below `root` for the files that `globs` want.
package struct WalkSettings: Hashable, Sendable {
  package var root: ProjectPath
  package var globs: GlobSet
  /// Whether names that begin with a dot are looked at.
  package var hidden: Bool

  package init(root: ProjectPath, globs: GlobSet, hidden: Bool = false) {
    self.root = root
    self.globs = globs
    self.hidden = hidden
  }
}

/// A file after its fate is known, as the ledger remembers it: it may not be there any more.
package struct SettledFile: Hashable, Sendable {
  package var key: JobKey
  package var relative: String
  package var stamp: FileStamp
  /// What was asked of the service, if it came to that.
  package var request: NewFile?
  /// The md5 of the bytes that were sent, if it came to that.
  package var md5: MD5Digest?
  /// What was sent instead of the file, while it is kept.
  package var preparation: Preparation?
  /// What the recipe keeps with the job.
  package var data: JobData?

  package init(_ job: Job) {
    key = job.key
    relative = job.relative
    stamp = job.stamp
    request = job.request
    md5 = job.md5
    preparation = job.preparation
    data = job.data
  }

  package init(
    key: JobKey, relative: String, stamp: FileStamp, request: NewFile? = nil, md5: MD5Digest? = nil,
    data: JobData? = nil
  ) {
    self.key = key
    self.relative = relative
    self.stamp = stamp
    self.request = request
    self.md5 = md5
    self.data = data
  }
}
