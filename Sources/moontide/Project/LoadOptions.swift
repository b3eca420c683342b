import ArgumentParser
import Ingestion

/// In which order, how fast and when a run sends.
struct LoadOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Which files are taken first: newest, oldest or smallest; else as they are found.", valueName: "order"))
  var order: CandidateOrder?
}

extension CandidateOrder: ExpressibleByArgument {}
