import Ingestion

/// What a run ends with, for the person and for the shell.
struct RunEnding {
  /// Those of the recipes, the worst last.
  private let endings: [(status: ExitStatus, message: String?)]

  init(_ outcomes: [RecipeParty.Outcome], at destination: Destination, wasInterrupted: Bool) {
    endings = outcomes.map { outcome in
      let ending = Self.ending(of: outcome.summary, at: destination, wasInterrupted: wasInterrupted)
      guard outcomes.count > 1 else { return ending }
      return (ending.status, ending.message.map { "\(outcome.recipe): \($0)" })
    }.sorted { Self.rank($0.status) < Self.rank($1.status) }
  }

  /// Tells why recipes ended early, and throws the worst status; returns where all is well.
  func finish() throws {
    for ending in endings.dropLast() {
      if let message = ending.message { complain(message) }
    }
    guard let worst = endings.last else { return }
    if let message = worst.message { throw CommandFailure(worst.status, message) }
    if worst.status != .done { throw worst.status }
  }

  /// How bad a status is: what needs a person most is worst.
  private static func rank(_ status: ExitStatus) -> Int {
    switch status {
    case .done: 0
    case .filesFailed: 1
    case .limited: 2
    case .ledgerOwned, .service: 3
    case .usage, .script: 4
    case .interrupted: 5
    }
  }

  private static func ending(
    of summary: RunSummary, at destination: Destination, wasInterrupted: Bool
  ) -> (status: ExitStatus, message: String?) {
    let left =
      "\(Format.count(summary.left, "file")) left; run again to send \(summary.left == 1 ? "it" : "them")."
    switch summary.stop {
    case .requested:
      return (wasInterrupted ? .interrupted : .done, nil)
    case .service(let error):
      let why = error.pause(keyHint: destination.access?.keyHint)
      return (
        .service,
        "paused: \(why); \(Format.count(summary.left, "file")) waiting. "
          + "\(ServiceErrorText.text(error, at: destination, isLast: false)) Run again to send \(summary.left == 1 ? "it" : "them")."
      )
    case .ledger(let message):
      return (
        .filesFailed, "The run ended, since its record cannot be kept: \(message) \(left)"
      )
    case .quarantine(let reason):
      return (.script, "\(reason) \(left)")
    case .limit(let allowance) where summary.sent == 0 && allowance.bytes != nil && allowance.files == nil:
      return (
        .limited,
        "No more than \(allowance.phrase) was asked for, and the next file is larger than what is left of it: raise it. "
          + "\(Format.count(summary.left, "file")) left."
      )
    case .limit(let allowance):
      return (.limited, "No more than \(allowance.phrase) was asked for: \(left)")
    case .closed(let hours, let opens):
      return (
        .limited,
        "Outside of \(hours) nothing is begun (--window); it opens at \(opens). "
          + "\(Format.count(summary.left, "file")) left."
      )
    case .paused(let pause):
      return (
        .limited,
        "\(PauseText.sentence(pause)) Nothing new was begun: \(Format.count(summary.left, "file")) waiting. "
          + "`moontide resume` ends it."
      )
    case nil:
      return (summary.isClean ? .done : .filesFailed, nil)
    }
  }
}
