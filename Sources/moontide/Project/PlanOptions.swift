import ArgumentParser

/// Whether a run only tells what it would do.
struct PlanOptions: ParsableArguments {
  @Flag(
    help: ArgumentHelp(
      "Tell what would be done with each file, and do nothing.",
      discussion:
        "Nothing is sent, moved, written or run. Handlers run; where one reaches for what cannot be known, "
        + "that is told."))
  var dryRun = false
}
