import FileSessions

/// What somebody wants done with jobs.
package enum JobRequest: Hashable, Sendable, Codable {
  /// The recipe is asked about them again, and a file that was moved away when it was given up is put back.
  case retry(JobSelection)
  /// Nothing is known of them any more; of those that were sent only where that is said.
  case forget(JobSelection, sentToo: Bool)

  /// The jobs that are meant.
  var selection: JobSelection {
    switch self {
    case .retry(let selection), .forget(let selection, _): selection
    }
  }

  /// The same for other jobs.
  func with(_ selection: JobSelection) -> JobRequest {
    switch self {
    case .retry: .retry(selection)
    case .forget(_, let sentToo): .forget(selection, sentToo: sentToo)
    }
  }
}

/// A wish that nothing new is begun.
package struct Pause: Hashable, Sendable, Codable {
  /// nil: every destination.
  package var profile: String?
  /// nil: every recipe.
  package var recipe: String?
  package var since: Timestamp

  package init(profile: String?, recipe: String?, since: Timestamp) {
    self.profile = profile
    self.recipe = recipe
    self.since = since
  }

  package func covers(profile: String, recipe: String) -> Bool {
    (self.profile ?? profile) == profile && (self.recipe ?? recipe) == recipe
  }
}

/// What other processes have asked of the ledger's owner.
package struct LedgerRequests: Sendable {
  /// A request that has not been done yet.
  package struct Entry: Sendable {
    package var id: Int64
    package var request: JobRequest

    package init(id: Int64, request: JobRequest) {
      self.id = id
      self.request = request
    }
  }

  /// Oldest first.
  package var open: [Entry]
  package var pauses: [Pause]

  package init(open: [Entry] = [], pauses: [Pause] = []) {
    self.open = open
    self.pauses = pauses
  }

  /// Why nothing new is begun for a recipe at a destination; nil when it may.
  package func pause(profile: String, recipe: String) -> Pause? {
    pauses.first { $0.covers(profile: profile, recipe: recipe) }
  }
}
