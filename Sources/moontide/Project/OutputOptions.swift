import ArgumentParser

/// How much a run tells, and how.
struct OutputOptions: ParsableArguments {
  @Flag(
    name: .shortAndLong,
    help: "Tell each step too: decided, opened, tried again, what handlers log for debugging; -vv: each call."
  )
  var verbose: Int

  @Option(
    help: ArgumentHelp(
      "plain, or journal: each line begins with its level, as journald reads it.",
      discussion: "By itself it is journal where systemd connects the streams with the journal."))
  var logFormat: LineFormat?

  /// How much is told.
  var detail: Display.Detail { Display.Detail(rawValue: min(verbose, 2)) ?? .outcomes }
}

extension LineFormat: ExpressibleByArgument {}
