import FileSessions

extension Engine {
  /// How often it is asked whether other processes want something.
  static let attention = Duration.seconds(1)

  /// Does what other processes have asked for meanwhile, and ends the run where it is paused.
  func heedRequests(_ slots: inout Slots, _ group: inout Passages) async throws(LedgerError) {
    report(.alive)
    slots.lastLook = clock.now
    let requests = try await ledger.requests()
    try await answer(requests.open, &slots, &group)
    if let pause = requests.pause(profile: profile, recipe: recipe.name) { slots.tally.stop(.paused(pause)) }
  }

  /// The same where it was not done just now: called before each file.
  func heedInPassing(_ slots: inout Slots, _ group: inout Passages) async throws(LedgerError) {
    let since = clock.now - slots.lastLook
    // A clock that was set back is no reason to wait until it is there again.
    if since < .zero || since >= Self.attention { try await heedRequests(&slots, &group) }
  }

  /// Does what other processes have asked for, as far as it is for this engine to do.
  func answer(
    _ requests: [LedgerRequests.Entry], _ slots: inout Slots, _ group: inout Passages
  ) async throws(LedgerError) {
    var isSplit = false
    for entry in requests {
      guard case .split(let parts) = seat.duty(in: entry.request) else { continue }
      try await ledger.split(request: entry.id, into: parts.map { entry.request.with($0) })
      isSplit = true
    }
    let open = isSplit ? try await ledger.requests().open : requests
    for entry in open where seat.duty(in: entry.request) == .perform {
      // While a file is under way its record is its passage's alone. Others do not wait for that.
      seat.withdraw()
      await slots.drain(&group)
      let outcome = try await JobKeeper(ledger: ledger, workspace: workspace).perform(entry.request)
      try await ledger.settle(request: entry.id)
      if outcome.count > 0 {
        slots.wasAsked = true
        slots.changes += 1
      }
      // Of a request that was split, every part that there is nothing to do for would say so.
      if outcome.count > 0 || !seat.isShared { report(.answered(outcome.sentence)) }
      for problem in outcome.problems {
        slots.tally.add(.problem)
        report(.problem(path: problem.path, message: problem.message))
      }
    }
  }
}
