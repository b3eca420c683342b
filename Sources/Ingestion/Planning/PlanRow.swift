import FileSessions
import Workspace

/// What a run would do with one file, and why.
package struct PlanRow: Sendable {
  package enum Verdict: String, CaseIterable, Sendable {
    /// It is sent.
    case send
    /// An earlier run left it under way; it is brought to its end.
    case resume
    /// It was sent before, and has not changed.
    case alreadySent = "already_sent"
    /// It was sent before; only its stamp has changed.
    case touched
    /// Moontide itself put it there.
    case ownWork = "own_work"
    /// The recipe has no interest.
    case skip
    /// The recipe refuses it.
    case reject
    /// The recipe wants to be asked again later.
    case `defer`
    /// It is given up.
    case fail
    /// It is not complete yet.
    case waiting
    /// Its name says that it is still being written, so that it is no file of a run.
    case inProgress = "in_progress"
    /// It would be left for another run.
    case left
    /// A handler reached for what cannot be known without doing it.
    case unknown
    /// The place cannot be looked at.
    case problem
  }

  /// Something that is done with files on the way.
  package enum Step: Hashable, Sendable {
    case change(Overlay.Change)
    /// What is said of the file in place of a change: it is left where it is.
    case note(String)
    case failed(String)
    /// A handler that comes afterwards reached for what cannot be known.
    case unknown(handler: String, String)
  }

  /// The handler that finds files.
  package static let discover = "discover"

  package var recipe: String
  /// The file; where the row is about none, the place, or the recipe.
  package var path: String
  /// For a part: the path of the file that it is a part of.
  package var whole: String?
  /// How many parts the file goes in, each a row of its own after this one; 0: it goes whole.
  package var parts = 0
  /// What `prepare` gave to be sent instead: a path below the job's work directory, or of the project.
  package var prepared: String?
  /// Bytes; nil where they are not known.
  package var size: Int64?
  package var verdict: Verdict
  package var reason: String?
  /// What the session is opened with, where it comes to that.
  package var request: NewFile?
  /// The name that the session gets, as far as it is known.
  package var sessionFilename: String?
  package var failure: Failure?
  /// When a deferred file is due again.
  package var dueAt: Timestamp?
  /// The handler that could not be followed, for the verdict `unknown`.
  package var handler: String?
  package var steps: [Step] = []

  /// Whether it says beyond which point discovery cannot be followed.
  package var isOfDiscovery: Bool { verdict == .unknown && handler == Self.discover }

  /// Whether a run counts what it is about among the files that it found; each file once.
  package var isFile: Bool {
    whole == nil && verdict != .problem && verdict != .inProgress && !isOfDiscovery
  }

  /// Whether something would go wrong.
  package var isTrouble: Bool {
    switch verdict {
    case .reject, .fail, .problem: true
    case .send, .resume, .alreadySent, .touched, .ownWork, .skip, .defer, .waiting, .inProgress, .left,
      .unknown:
      steps.contains { if case .failed = $0 { true } else { false } }
    }
  }
}
