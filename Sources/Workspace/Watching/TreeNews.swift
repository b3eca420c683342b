/// What happened in a watched tree since it was last asked.
package struct TreeNews: Sendable, Hashable {
  /// Places where something was made, closed after writing, renamed, removed, or given other attributes.
  ///
  /// Wanted names only. Each is there once, however often it changed; it may be gone by now.
  package var changed: Set<ProjectPath> = []
  /// Why everything has to be looked at again; nil when `changed` is all.
  package var rescan: RescanReason?
  /// What has become of the watching itself, in order.
  package var notices: [WatchNotice] = []

  package init(
    changed: Set<ProjectPath> = [], rescan: RescanReason? = nil, notices: [WatchNotice] = []
  ) {
    self.changed = changed
    self.rescan = rescan
    self.notices = notices
  }

  package var isEmpty: Bool { changed.isEmpty && rescan == nil && notices.isEmpty }

  /// The most places that are remembered one by one; beyond them everything is looked at again.
  package static let mostChanges = 50_000

  mutating func note(_ path: ProjectPath) {
    guard rescan == nil else { return }
    changed.insert(path)
    if changed.count > Self.mostChanges { note(.manyChanges) }
  }

  mutating func note(_ reason: RescanReason) {
    rescan = rescan ?? reason
    changed = []
  }
}

/// Why a watched tree has to be looked through again.
package enum RescanReason: String, Sendable, Hashable {
  /// The kernel dropped events, since they came faster than they were read.
  case overflow
  /// More places changed than are remembered one by one.
  case manyChanges
  /// The root is there again, or is another directory now.
  case rootReturned
}

/// What a person has to know of a watch.
package enum WatchNotice: Sendable, Hashable {
  /// The kernel tells of changes in so many directories.
  case watching(directories: Int)
  /// The tree has to be looked through again and again, since the kernel does not tell of all changes there.
  case polling(why: String)
  /// The root cannot be reached; what was below it is not deleted for that.
  case rootGone(WorkspaceError)
  /// The root can be reached again.
  case rootBack
}

/// A tree that is watched for changes.
package protocol TreeWatch: Sendable {
  /// What happened since the last call.
  func take() -> TreeNews

  /// Ends the watch and waits until its thread is gone. Blocks for a moment.
  func close()
}
