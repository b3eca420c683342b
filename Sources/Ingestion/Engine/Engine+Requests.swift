extension Engine {
  /// Does what other processes have asked for meanwhile, and ends the run where it is paused.
  ///
  /// Called between two pages of discovery, and now and then where nothing is left to do.
  func heedRequests(
    _ slots: inout Slots, _ group: inout TaskGroup<Passed>
  ) async throws(LedgerError) {
    let requests = try await ledger.requests()
    if !requests.open.isEmpty {
      // While a file is under way its record is its passage's alone.
      await slots.drain(&group)
      let keeper = JobKeeper(ledger: ledger, workspace: workspace)
      for entry in requests.open {
        let outcome = try await keeper.perform(entry.request)
        try await ledger.settle(request: entry.id)
        report(.answered(outcome.sentence))
        for problem in outcome.problems {
          slots.tally.add(.problem)
          report(.problem(path: problem.path, message: problem.message))
        }
      }
    }
    if let pause = requests.pause(profile: profile, recipe: recipe.name) { slots.tally.stop(.paused(pause)) }
  }
}
