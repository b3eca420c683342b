import FileSessions
import Workspace

/// Whether a file may be taken away, as far as one other recipe of the run is concerned.
package enum Departure: Hashable, Sendable {
  /// The other one is past its bytes, or has no interest.
  case free
  /// The other one is still to use it.
  case wait
  /// The other one will use it in a later run, or nobody knows when; and why.
  case stay(String)

  /// How far another recipe of the run has come.
  package struct Rival: Hashable, Sendable {
    package enum Progress: Hashable, Sendable {
      case atWork
      /// It has looked at everything, and only waits until it may take files away.
      case resting
      /// Its run is over; early, if it was stopped.
      case ended(early: Bool)
    }

    package var progress: Progress
    /// Whether it comes first where both want to take the file away.
    package var isEarlier: Bool
    /// Whether its discovery offers the file for sure.
    package var isCertain: Bool
    /// Whether it has looked through everything since the file waits.
    package var hasLooked: Bool

    package init(
      progress: Progress = .atWork, isEarlier: Bool = false, isCertain: Bool = true, hasLooked: Bool = false
    ) {
      self.progress = progress
      self.isEarlier = isEarlier
      self.isCertain = isCertain
      self.hasLooked = hasLooked
    }

    var isAtWork: Bool { progress == .atWork }

    /// What follows where it needs the file: it has its turn in this run, or in another.
    fileprivate func needs(_ why: String) -> Departure { isAtWork ? .wait : .stay(why) }
  }

  /// - Parameters:
  ///   - job: what the other recipe's record says of the file, if anything.
  ///   - stamp: what the file is now.
  package init(past rival: Rival, job: Job?, stamp: FileStamp) {
    guard let job, job.stamp == stamp else {
      self = Self.unseen(by: rival)
      return
    }
    switch job.phase {
    case .done, .skipped: self = .free
    case .decided, .opened, .uploaded: self = rival.needs("has not finished it")
    case .deferred: self = .stay("deferred it" + (job.reason.map { ": \($0)" } ?? ""))
    case .completed: self = job.step.map { Self.followed(by: $0, of: rival) } ?? .free
    case .failed:
      if let step = job.step {
        self = Self.followed(by: step, of: rival)
      } else if job.comesBack {
        self = rival.needs("is to try it again")
      } else {
        self = job.failure.map(Self.given(up:)) ?? .free
      }
    }
  }

  /// It gave the file up.
  private static func given(up failure: Failure) -> Departure {
    if failure.mayPass { return .stay("is to try it again in another run") }
    switch failure.kind {
    // What it wants of the file is not known before it is mended.
    case .script, .stopped: return .stay("failed on it: \(failure.message)")
    case .rejected, .service, .limit, .file, .changing: return .free
    }
  }

  /// It has no record of the file as it is now.
  private static func unseen(by rival: Rival) -> Departure {
    switch rival.progress {
    case .atWork: rival.hasLooked ? .free : .wait
    case .resting, .ended(early: false): rival.isCertain ? .stay("has not taken it yet") : .free
    case .ended(early: true): .stay("was stopped before it could take it")
    }
  }

  /// It has settled the file, and something is left to do with it there.
  private static func followed(by step: AfterStep, of rival: Rival) -> Departure {
    guard let action = step.action, action.takesAway else {
      return rival.needs("has still to do what follows there")
    }
    if step.error != nil { return .free }
    if case .ended = rival.progress { return .free }
    return rival.isEarlier ? .wait : .free
  }
}

extension AfterAction {
  /// Whether the file is not there any more afterwards.
  package var takesAway: Bool {
    switch self {
    case .move, .remove: true
    case .copy, .retry: false
    }
  }
}
