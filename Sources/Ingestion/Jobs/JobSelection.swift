import FileSessions

/// Which jobs are meant: those that fit everything that is given.
package struct JobSelection: Hashable, Sendable, Codable {
  package var profile: String?
  package var recipe: String?
  /// None of these recipes.
  package var otherThan: [String]?
  /// Any of these; empty: every phase.
  package var phases: [Phase] = []
  /// A failure's kind. With it, `reason` is all of what such failures have in common (``Failure/reason(path:)``).
  package var kind: Failure.Kind?
  /// Without a kind: a failure's kind; else its code, or words that occur in the reason.
  package var reason: String?
  /// Those whose record has changed since.
  package var since: Timestamp?
  /// Any of these paths; empty: every path.
  package var paths: [String] = []

  package init() {}
}

/// Some of the jobs of a ledger, in the order in which they were first recorded.
package struct JobPage: Sendable {
  package struct Entry: Sendable {
    package var job: Job
    /// When the record changed last.
    package var changedAt: Timestamp

    package init(job: Job, changedAt: Timestamp) {
      self.job = job
      self.changedAt = changedAt
    }
  }

  package var entries: [Entry]
  /// Where the next page begins; nil at the end.
  package var next: Int64?

  package init(entries: [Entry] = [], next: Int64? = nil) {
    self.entries = entries
    self.next = next
  }
}
