import FileSessions
import Workspace

/// What a pause holds up, so that it can be told how many files wait for its end.
extension Engine {
  /// Counts what discovery has still to offer: nothing is decided about it. For a walk; asking a script for more of
  /// its files is for a run that goes on.
  func countHeldUp(
    _ pages: CandidatePages, _ intake: Intake, _ settling: Settling, _ slots: inout Slots
  ) async throws {
    while slots.tally.isHeldUp, !stop.isRequested, !Task.isCancelled {
      let page = try await pages.next(Self.pageSize)
      if page.isEnd { return }
      let candidates = page.candidates.filter {
        settling.withholding($0.path) == nil && !intake.resumed.contains($0.path)
          && !slots.underWay.contains($0.path)
      }
      let stamps = try await ledger.doneStamps(
        profile: profile, recipe: recipe.name, paths: candidates.map(\.path))
      let open = zip(candidates, stamps).filter { $0.stamp != $1 }.map(\.0)
      if open.isEmpty { continue }
      let paths = open.map(\.path)
      let jobs = try await ledger.jobs(profile: profile, recipe: recipe.name, paths: paths)
      let traces = try await ledger.traces(profile: profile, paths: paths)
      let now = clock.now
      let count = open.count { candidate in
        let triage = Triage(
          of: candidate, job: jobs[candidate.path], trace: traces[candidate.path],
          recipeVersion: recipe.version, now: now)
        switch triage {
        case .ask, .compare, .resume: return true
        case .alreadyDone, .stands, .ownWork: return false
        }
      }
      slots.tally.summary.found += count
      slots.tally.summary.left += count
    }
  }
}

extension Tally {
  /// Whether nothing is begun until a service, or somebody, lets it go on.
  var isHeldUp: Bool {
    switch summary.stop {
    case .service, .paused: true
    case .requested, .ledger, .quarantine, .limit, .closed, nil: false
    }
  }
}

extension ServiceError {
  /// What has the work paused, in a few words: `key …a1b2 refused`.
  ///
  /// - Parameter keyHint: the key as people are told of it.
  package func pause(keyHint: String?) -> String {
    let key = keyHint.map { "key \($0)" } ?? "key"
    return switch kind {
    case .unauthorized: "\(key) refused"
    case .forbidden: "\(key) may not do this"
    case .tooManyRequests: "rate limit used up"
    case .unreachable, .requestTimeout, .gatewayTimeout: "service not reached"
    case .badRequest, .notFound, .conflict, .idempotencyConflict, .objectExists, .uploadRefused, .tooLarge,
      .unsupportedMediaType, .unprocessableContent, .internalServerError, .serviceUnavailable, .source,
      .unexpected:
      "service out of order"
    }
  }
}
