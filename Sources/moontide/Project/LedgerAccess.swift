import FileSessions
import Ingestion
import SQLiteLedger
import Workspace

extension SQLiteLedger {
  /// Takes the ledger of a project.
  ///
  /// - Parameters:
  ///   - waiting: waits while another process has it.
  ///   - note: tells the person for whom it waits.
  static func take(
    in workspace: Workspace, waiting: Bool = false, note: (String) -> Void = { _ in }
  ) async throws -> SQLiteLedger {
    try StateOwner.note(workspace)
    var isTold = false
    while true {
      do throws(LedgerError) {
        return try SQLiteLedger(directory: workspace.statePath, clock: .system)
      } catch {
        guard error.code == .owned else { throw CommandFailure(.usage, error.message) }
        guard waiting else {
          throw CommandFailure(
            .ledgerOwned, "\(error.message) Wait for it (`moontide run --wait`), or stop it.")
        }
        if !isTold { note("\(error.message) Waiting for it to end.") }
        isTold = true
        try await Bench.sleep(.milliseconds(200))
      }
    }
  }
}

extension LedgerReader {
  /// Ends the command where a selection names a recipe, or files, of which there is no record.
  func requireKnown(_ selection: JobSelection) async throws(CommandFailure) {
    var known = JobSelection()
    known.recipe = selection.recipe
    if let recipe = selection.recipe, try await isEmpty(known) {
      let recipes = try await knownRecipes()
      let names = Set(recipes.map(\.name)).sorted().joined(separator: ", ")
      throw CommandFailure(
        .usage,
        "There is no record of a recipe \(recipe)\(names.isEmpty ? "." : "; those that have run are \(names).")"
      )
    }
    known.profile = selection.profile
    for path in selection.paths {
      known.paths = [path]
      if try await isEmpty(known) {
        let isFiltered = known.recipe != nil || known.profile != nil
        throw CommandFailure(
          .filesFailed,
          "\(isFiltered ? "There, no" : "No") recipe has a record of \(path); moontide why \(path.shellWord) tells why."
        )
      }
    }
  }

  /// Why a pause holds for nothing that has run here so far, which may be as it is meant; nil where it does.
  func doubt(profile: String?, recipe: String?) async throws(CommandFailure) -> String? {
    let recipes = try await knownRecipes()
    let isKnown = recipes.contains { record in
      record.name == recipe ?? record.name && record.profile == profile ?? record.profile
    }
    if isKnown || (profile == nil && recipe == nil) { return nil }
    let names =
      recipe == nil
      ? recipes.map(\.profile) : recipes.map { profile == nil ? $0.name : "\($0.name) with \($0.profile)" }
    let known = Set(names).sorted().joined(separator: ", ")
    let what =
      switch (recipe, profile) {
      case (let recipe?, nil): "no recipe \(recipe) has run here"
      case (let recipe?, let profile?): "no recipe \(recipe) has run here with the profile \(profile)"
      case (nil, let profile): "no recipe has run here with the profile \(profile ?? "")"
      }
    return (what + (known.isEmpty ? "" : "; those that have: \(known)")).printable
  }

  private func knownRecipes() async throws(CommandFailure) -> [RecipeRecord] {
    try await reportingLedger { () async throws(LedgerError) in try await recipes() }
  }

  private func isEmpty(_ selection: JobSelection) async throws(CommandFailure) -> Bool {
    try await reportingLedger { () async throws(LedgerError) in
      try await jobs(selection, limit: 1).entries.isEmpty
    }
  }
}

/// Has jobs changed: at once where nobody works with the ledger, else by the one who does.
struct JobOrder {
  let workspace: Workspace
  let request: JobRequest

  func place() async throws {
    switch takenLedger() {
    case .success(let ledger):
      try await perform(with: ledger)
    case .failure(let error) where error.code == .owned:
      try await leave()
      say("\(error.message) It was asked, and does it when it next looks, or else the next run does.")
    case .failure(let error):
      throw CommandFailure(.usage, error.message)
    }
  }

  private func takenLedger() -> Result<SQLiteLedger, LedgerError> {
    Result { () throws(LedgerError) in try SQLiteLedger(directory: workspace.statePath, clock: .system) }
  }

  private func leave() async throws {
    try await reportingLedger { () async throws(LedgerError) in
      try await LedgerDesk(directory: workspace.statePath, clock: .system).leave(request)
    }
  }

  private func perform(with ledger: SQLiteLedger) async throws {
    let outcome = try await reportingLedger { () async throws(LedgerError) in
      try await JobKeeper(ledger: ledger, workspace: workspace).perform(request)
    }
    for problem in outcome.problems {
      complain("\(problem.path.printable): \(problem.message.printable)", .warning)
    }
    say(sentence(of: outcome))
  }

  private func sentence(of outcome: JobKeeper.Outcome) -> String {
    switch request {
    case .retry where outcome.count > 0: retries(outcome)
    case .retry: "There is nothing to try again."
    case .forget: "\(outcome.sentence)."
    }
  }

  private func retries(_ outcome: JobKeeper.Outcome) -> String {
    let files = Format.count(outcome.count, "file")
    let (were, are) = outcome.count == 1 ? ("was", "is") : ("were", "are")
    return switch outcome.putBack {
    case 0: "\(files) \(are) tried again by the next run."
    case outcome.count: "\(files) \(were) put back and \(are) tried again by the next run."
    case let some: "\(files) \(are) tried again by the next run, \(some) of them put back already."
    }
  }
}
