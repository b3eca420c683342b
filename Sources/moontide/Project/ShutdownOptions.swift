import ArgumentParser

/// How a run ends that is asked to.
struct ShutdownOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "After SIGTERM, finish what is under way for so long at the most, then cancel it; 90s, 5m.",
      valueName: "time"))
  var drainTimeout = TimeSpan(duration: .seconds(30))
}

/// A time as the command line has it: seconds, or a number with s, m or h behind it.
struct TimeSpan: ExpressibleByArgument {
  let duration: Duration

  init(duration: Duration) { self.duration = duration }

  init?(argument: String) {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600]
    let unit = argument.last.flatMap { units[$0] }
    guard let number = Int64(unit == nil ? argument : String(argument.dropLast())),
      (0...1_000_000).contains(number)
    else { return nil }
    duration = .seconds(number * (unit ?? 1))
  }

  var defaultValueDescription: String { "\(Int(duration.inSeconds))s" }
}

extension Display {
  /// Tells what a signal makes of the run, and how much is left.
  func announce(_ step: Interruption.Step) {
    let board = progress
    let files = Format.count(board.transfers.count, "file")
    let rest = board.transfers.isEmpty ? "what is under way" : "\(files) under way, \(board.leftWords) to go"
    switch step {
    case .draining(let limit):
      let end = limit.map { ", for \(Format.remaining($0)) at the most" } ?? ""
      note("Finishing \(rest)\(end). Nothing new is begun. Once more cancels it; the next run takes it up.")
    case .cancelling:
      let them = board.transfers.count > 1 ? "them" : "it"
      note("Cancelling \(rest). The next run sends \(them). Once more ends this at once.")
    case .quitting:
      clear()
      note("Ended at once; the next run sees to what is open.")
    }
  }
}

extension ProgressBoard {
  /// How many bytes are still to be sent of what is under way.
  fileprivate var leftWords: String { Format.bytes(transfers.reduce(0) { $0 + $1.of - $1.bytes }) }
}
