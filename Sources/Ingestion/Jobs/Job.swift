import FileSessions
import Workspace

/// The record of what became of one file for one recipe at one destination.
package struct Job: Hashable, Sendable {
  package let key: JobKey
  /// The path below the discover root, as the recipe saw it.
  package var relative: String
  package var phase: Phase
  /// Size, time and inode of the content that this record is about.
  package var stamp: FileStamp
  /// Which text of the recipe, with which arguments, decided.
  package var recipeVersion: String

  /// What discovery gave with the file when it was decided about.
  package var offered: JobData?
  /// What the recipe's decision put in its place.
  package var ownData: JobData?

  /// What the session is opened with; nil until the recipe said yes.
  package var request: NewFile?
  /// The key under which it is opened, so that a repeat opens no second one.
  package var idempotencyKey: String?
  /// The session as last seen.
  package var session: FileSession?
  /// Where its bytes go.
  package var target: UploadTarget?
  /// What is sent instead of the file's own bytes.
  package var preparation: Preparation?
  /// The md5 of the bytes that were sent.
  package var md5: MD5Digest?

  /// Which handlers decided, with their places: `accept (notes.lua:7)`.
  package var deciders: String?
  /// Why the recipe skipped or deferred the file.
  package var reason: String?
  /// Where the same content was sent from; set where the file was skipped for that.
  package var sameAs: ProjectPath?
  /// Why it failed.
  package var failure: Failure?
  /// When a deferred file is due again, or one that failed has its turn by itself.
  package var dueAt: Timestamp?
  /// What is still to be done with the file now that it was completed or given up.
  package var step: AfterStep?
  /// What was done with the file in the end: `moved to uploaded/a.md`.
  package var afterwards: String?

  /// How many sessions were opened for this content.
  package var opens = 0
  /// How often the file was given up so far.
  package var tries = 0
  /// How often in a row it failed for a reason that may pass, without being given up.
  package var rounds = 0
  /// How often the file changed while it was being sent.
  package var changes = 0
  /// Counts the changes of this record: a change is only written over the revision that it was made from.
  package var revision = 0

  package init(
    key: JobKey, relative: String, phase: Phase, stamp: FileStamp, recipeVersion: String
  ) {
    self.key = key
    self.relative = relative
    self.phase = phase
    self.stamp = stamp
    self.recipeVersion = recipeVersion
  }

  /// What the recipe keeps with the job.
  package var data: JobData? { ownData ?? offered }

  /// Whether the recipe is asked anew once it, or the file, is another one: nothing was sent, and it is not settled
  /// where the file goes.
  package var isRevisable: Bool {
    switch phase {
    case .skipped, .deferred, .failed: step?.destination == nil
    case .decided, .opened, .uploaded, .completed, .done: false
    }
  }

  /// Whether the record stands for a recipe of this version; else the recipe is asked anew.
  package func stands(for version: String?) -> Bool { !isRevisable || recipeVersion == version }

  /// Whether somebody asked that the recipe be asked again.
  package var isToBeRetried: Bool { recipeVersion.isEmpty }

  /// Has the recipe asked again, although neither it nor the file has changed.
  mutating func retry() {
    // No recipe has this version.
    recipeVersion = ""
    dueAt = nil
    step = nil
    (tries, rounds) = (0, 0)
    failure?.movedTo = nil
    afterwards = nil
  }
}

/// Content that was sent: proof against sending it again.
package struct SentVersion: Hashable, Sendable {
  package var size: Int64
  package var md5: MD5Digest
  package var sessionID: String

  package init(size: Int64, md5: MD5Digest, sessionID: String) {
    self.size = size
    self.md5 = md5
    self.sessionID = sessionID
  }
}

/// A file that Moontide itself put where it is, and so does not discover again under the same profile.
package struct Trace: Hashable, Sendable {
  package var path: ProjectPath
  package var stamp: FileStamp
  package var md5: MD5Digest
  /// The file that was moved or copied there; nil for what was written.
  package var origin: ProjectPath?

  package init(path: ProjectPath, stamp: FileStamp, md5: MD5Digest, origin: ProjectPath? = nil) {
    self.path = path
    self.stamp = stamp
    self.md5 = md5
    self.origin = origin
  }
}
