import Workspace

extension Engine {
  /// Removes the unfinished files that the crash left from which these jobs are taken up.
  ///
  /// They lie where files were about to go, and where handlers write. It only is tidy: what cannot be read stays.
  func sweepLeftovers(of jobs: [Job]) async throws(LedgerError) {
    guard plan == nil, !jobs.isEmpty else { return }
    var places = Set(try await ledger.placesOfTraces(profile: profile))
    for job in jobs {
      let target = job.step?.destination.flatMap { try? workspace.path($0) }
      if let place = target?.parent { places.insert(place) }
    }
    await offload { [workspace, places] in
      for place in places { _ = try? workspace.sweepUnfinished(in: place) }
    }
  }
}
