import FileSessions
import Workspace

/// When a file counts as complete, so that it may be decided about.
package struct Settling: Hashable, Sendable {
  /// For how long its size and its time of modification have to stay; nil: as the file system is.
  package var quiet: Duration?
  /// Names, without directories, of files that are still being written.
  package var inProgress: [Glob]
  /// The marker that has to be beside a file; nil: none.
  package var ready: ReadyMarker?

  package init(quiet: Duration? = nil, inProgress: [Glob] = Self.usualNames, ready: ReadyMarker? = nil) {
    self.quiet = quiet
    self.inProgress = inProgress
    self.ready = ready
  }

  /// What browsers, download programs and office suites call files that they have not finished.
  package static let usualNames = ["*.part", "*.crdownload", "*.tmp", "~$*"].compactMap { try? Glob($0) }

  /// How often `quiet` may pass, in a one-time run, before a file that keeps changing is left.
  package static let patience = 5

  /// For how long files have to stay as they are there: 2 seconds where nothing else was said, and 30 where other
  /// machines' writing is seen late and in large steps.
  package func quiet(on fileSystem: FileSystemKind?) -> Duration {
    quiet ?? (fileSystem?.remoteName == nil ? .seconds(2) : .seconds(30))
  }

  /// Why a name alone keeps a file from being a candidate; nil when it does not.
  package func withholding(_ path: ProjectPath) -> Withholding? {
    let name = path.name
    if let ready, ready.isMarker(name) { return .marker }
    return inProgress.first { $0.matches(name, hidden: true) }.map { .inProgress($0) }
  }
}

/// Why a file that the globs want is not taken, or not yet.
package enum Withholding: Hashable, Sendable, CustomStringConvertible {
  /// Its name is that of a file that is still being written.
  case inProgress(Glob)
  /// It says of another file that it is complete.
  case marker
  /// This marker is not there.
  case waiting(for: ProjectPath)
  /// Its size or its time of modification changed a moment ago.
  case changing

  package var description: String {
    switch self {
    case .inProgress(let glob):
      "its name matches \"\(glob.pattern)\" of in_progress: it is still being written"
    case .marker: "it is the marker (ready) of another file"
    case .waiting(let marker): "it waits for its marker \"\(marker)\""
    case .changing: "still changing"
    }
  }
}

/// What was seen of a file that may still be changing.
package struct Stillness: Hashable, Sendable {
  /// What follows from looking at it.
  package enum Answer: Hashable, Sendable {
    /// It has stopped changing.
    case settled
    /// It is to be looked at again at this moment.
    case again(at: Timestamp)
  }

  /// When it was looked at, or told of, first.
  package private(set) var began: Timestamp
  private var stamp: FileStamp?
  /// Since when the stamp has been the same.
  private var since: Timestamp

  package init(now: Timestamp) {
    began = now
    since = now
  }

  /// Takes a look.
  ///
  /// - Parameter trustsTimes: Whether a modification long ago counts as stillness. It does not where another
  ///   machine sets the time.
  package mutating func look(
    _ seen: FileStamp, now: Timestamp, quiet: Duration, trustsTimes: Bool
  ) -> Answer {
    // A clock that was set back would have us wait until it is there again.
    if since > now { since = now }
    if began > now { began = now }
    if seen != stamp {
      stamp = seen
      since = now
    }
    let modified = Timestamp(milliseconds: seen.modified / 1_000_000)
    // A time in the future is another clock's, and says nothing.
    let isTold = trustsTimes && modified <= now
    let still = isTold ? min(modified, since) : since
    return still + quiet <= now ? .settled : .again(at: still + quiet)
  }

  /// Whether a one-time run has looked at it for long enough.
  package func isHopeless(now: Timestamp, quiet: Duration) -> Bool {
    began + quiet * Settling.patience <= now
  }
}
