extension Engine {
  /// How often a watching engine asks whether other processes want something.
  static let attention = Duration.seconds(1)

  /// Does what other processes have asked for meanwhile, and ends the run where it is paused.
  ///
  /// Called between two pages of discovery, and now and then where nothing is left to do.
  func heedRequests(_ slots: inout Slots, _ group: inout Passages) async throws(LedgerError) {
    report(.alive)
    let requests = try await ledger.requests()
    try await answer(requests.open, &slots, &group)
    if let pause = requests.pause(profile: profile, recipe: recipe.name) { slots.tally.stop(.paused(pause)) }
  }

  /// Does what other processes have asked for.
  func answer(
    _ requests: [LedgerRequests.Entry], _ slots: inout Slots, _ group: inout Passages
  ) async throws(LedgerError) {
    if requests.isEmpty { return }
    // While a file is under way its record is its passage's alone.
    await slots.drain(&group)
    let keeper = JobKeeper(ledger: ledger, workspace: workspace)
    for entry in requests {
      let outcome = try await keeper.perform(entry.request)
      try await ledger.settle(request: entry.id)
      if outcome.count > 0 { slots.wasAsked = true }
      report(.answered(outcome.sentence))
      for problem in outcome.problems {
        slots.tally.add(.problem)
        report(.problem(path: problem.path, message: problem.message))
      }
    }
  }
}
