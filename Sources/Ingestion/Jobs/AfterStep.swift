import FileSessions
import Workspace

/// What is done with a file once it is completed, or given up.
package enum AfterAction: Hashable, Sendable, Codable {
  /// Into this directory, keeping the path below the discover root. Never over another file.
  case move(to: String)
  /// The same, leaving the file where it is.
  case copy(to: String)
  /// Off the disk.
  case remove
  /// Nothing; the recipe is asked about it again after so many seconds. Only for a file that was given up.
  case retry(after: Double)
}

/// The progress of what is done afterwards. Recorded, so that a crash repeats no handler and loses no file.
package struct AfterStep: Hashable, Sendable, Codable {
  /// Whether the recipe's handler ran, and `action` is its answer.
  package var isHandled = false
  /// What is left to do with the file.
  package var action: AfterAction?
  /// Where the file goes, chosen before it goes there.
  package var destination: String?
  /// Why the last try failed.
  package var error: String?
  /// How often it failed, and when it is tried again.
  package var tries: Int?
  package var dueAt: Timestamp?

  package init() {}
}
