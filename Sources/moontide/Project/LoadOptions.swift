import ArgumentParser
import FileSessions
import Foundation
import Ingestion

/// In which order, how fast and when a run sends.
struct LoadOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Which files are taken first: newest, oldest or smallest; else as they are found.", valueName: "order"))
  var order: CandidateOrder?

  @Option(
    help: ArgumentHelp(
      "How fast to send: 10M (MiB a second), or a timetable such as \"08:00,512K 18:00,off\".",
      discussion:
        "K, M and G are powers of 1024. Times are local; Mon-08:00,512K is for one day of the week.",
      valueName: "rate"),
    transform: { try BandwidthTimetable($0) })
  var bwlimit: BandwidthTimetable?

  @Option(
    help: ArgumentHelp(
      "Begin files only at this time of day, such as 22:00-06:00; what is under way then is finished.",
      discussion:
        "Outside of it a run ends with status 6, or waits with --wait; one that watches waits in any case.",
      valueName: "from-to"),
    transform: { try DailyWindow($0) })
  var window: DailyWindow?

  var hours: OpeningHours? { window.map { OpeningHours($0, clock: .system, zone: .current) } }

  /// The places of a run.
  func gate(places: Int, allowance: Allowance, waits: Bool) -> Gate {
    var terms = Gate.Terms()
    terms.allowance = allowance
    terms.throttle = bwlimit.flatMap { timetable in
      timetable.isUnlimited
        ? nil : Throttle(timetable, clock: .system, zone: .current, sleep: Bench.sleep)
    }
    terms.hours = hours
    terms.waitsForHours = waits
    terms.clock = .system
    return Gate(places: places, terms: terms)
  }
}

extension DailyWindow {
  /// What keeps files from being begun at a moment, for people; nil where the window is open.
  func hold(at moment: Timestamp) -> String? {
    opening(after: moment, in: .current).map {
      "nothing is begun before \(Format.timeOfDay($0).prefix(5)) (--window \(self))"
    }
  }
}

extension CandidateOrder: ExpressibleByArgument {}
