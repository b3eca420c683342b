import FileSessions
import Workspace

/// A file that discovery offered.
package struct Candidate: Hashable, Sendable {
  package var key: JobKey
  /// The path below the discover root.
  package var relative: String
  package var stamp: FileStamp
  /// What discovery gave with it.
  package var data: JobData?

  package init(key: JobKey, relative: String, stamp: FileStamp, data: JobData? = nil) {
    self.key = key
    self.relative = relative
    self.stamp = stamp
    self.data = data
  }

  package var path: ProjectPath { key.path }
}

/// What a recipe wants of a file that is to be sent; nil leaves it to the engine.
package struct Wishes: Hashable, Sendable {
  /// The filename to ask for; nil: the file's own name.
  package var filename: String?
  /// nil: the type by extension, else by content.
  package var mimeType: String?
  /// nil: none.
  package var purpose: Purpose?
  /// What stays with the job; nil: what discovery gave.
  package var data: JobData?
  /// What is sent instead of the file; nil: the file itself.
  package var content: PreparedContent?

  package init(
    filename: String? = nil, mimeType: String? = nil, purpose: Purpose? = nil, data: JobData? = nil,
    content: PreparedContent? = nil
  ) {
    self.filename = filename
    self.mimeType = mimeType
    self.purpose = purpose
    self.content = content
    self.data = data
  }
}

/// What a recipe says of a candidate; `by` names the handler with its place: `accept (notes.lua:7)`.
package enum Ruling: Hashable, Sendable {
  case send(Wishes)
  /// To be sent as several files, at least one.
  case sendParts([PreparedPart])
  /// Of no interest.
  case skip(reason: String?, by: String? = nil)
  /// It should have been right, and is not.
  case reject(reason: String, by: String? = nil)
  /// Ask again after so long.
  case postpone(Duration, reason: String?, by: String? = nil)
  /// The recipe could not say: a handler failed.
  case fault(Failure)
  /// The recipe was not asked, since it is in quarantine: the file is left for another run.
  case unasked
}
