import FileSessions
import Workspace

/// What a candidate needs, as far as the ledger alone can tell.
package enum Triage: Hashable, Sendable {
  /// Nothing: sent, and the stamp is the one that was sent.
  case alreadyDone
  /// Its content has to be compared with what was sent, or written by ourselves.
  case compare
  /// The recipe has to be asked.
  case ask
  /// It is under way: go on where it stands.
  case resume
  /// It stays as an earlier run left it.
  case stands
  /// Moontide put it there; it is no candidate.
  case ownWork

  /// Decides for one candidate.
  ///
  /// - Parameters:
  ///   - job: what the ledger has under the candidate's key.
  ///   - trace: what the ledger has of our own writing at this path.
  ///   - isRepeat: whether this run has looked at it before: then what failed for a passing reason waits for its turn.
  package init(
    of candidate: Candidate, job: Job?, trace: Trace?, recipeVersion: String, now: Timestamp,
    isRepeat: Bool = false
  ) {
    if let trace, trace.stamp == candidate.stamp {
      self = .ownWork
    } else if let job {
      self = Self.known(job, candidate, recipeVersion, now, isRepeat)
    } else if let trace, trace.stamp.size == candidate.stamp.size {
      self = .compare
    } else {
      self = .ask
    }
  }

  private static func known(
    _ job: Job, _ candidate: Candidate, _ recipeVersion: String, _ now: Timestamp,
    _ isRepeat: Bool
  ) -> Triage {
    let isSame = job.stamp == candidate.stamp
    let isSameOffer = job.offered == candidate.data
    let isSameRecipe = job.recipeVersion == recipeVersion
    switch job.phase {
    case .decided, .opened, .uploaded, .completed:
      return .resume
    case .done:
      return isSame ? .alreadyDone : .compare
    case .skipped:
      return isSame && isSameOffer && isSameRecipe ? .stands : .compare
    case .deferred:
      let isDue = job.dueAt.map { $0 <= now } ?? true
      return isSame && isSameOffer && isSameRecipe && !isDue ? .stands : .compare
    case .failed:
      let isWaiting = isRepeat && job.dueAt.map { $0 > now } ?? false
      let mayPass = (job.failure?.mayPass ?? true) && !isWaiting
      return isSame && isSameOffer && isSameRecipe && !mayPass ? .stands : .compare
    }
  }
}
