import Ingestion
import Synchronization

/// Shows what a run would do: as a table, or as JSON lines, and at the end in one line.
final class PlanDisplay: Sendable {
  /// Rows that are measured together, so that their columns are in line.
  private static let measured = 2000

  private struct State {
    var table: PlanTable
    var pending: [PlanRow] = []
    var totals = PlanTotals()
  }

  private let isJSON: Bool
  private let isQuiet: Bool
  private let state: Mutex<State>

  /// - Parameters:
  ///   - isQuiet: only what would go wrong is listed.
  ///   - hasSeveral: several recipes are planned, so that each row names its own.
  init(isJSON: Bool, isQuiet: Bool, hasSeveral: Bool) {
    self.isJSON = isJSON
    self.isQuiet = isQuiet
    state = Mutex(State(table: PlanTable(terminal: PlanTable.Terminal.ofOutput, namesRecipes: hasSeveral)))
  }

  /// Whether something would go wrong.
  var hasTrouble: Bool { state.withLock { $0.totals.trouble > 0 } }

  /// Whether files would be left for another run.
  var leavesFiles: Bool { state.withLock { $0.totals.verdicts[.left] != nil } }

  func headline(_ line: String) {
    if !isJSON, !isQuiet { say(line) }
  }

  /// Shows a line of a script's own, or of ours.
  func note(_ line: String) {
    StandardStream.error.write(line.printableLines + "\n")
  }

  func show(_ row: PlanRow) {
    state.withLock { state in
      state.totals.add(row)
      if isJSON { return say(JSONText.line(PlanRowJSON(row))) }
      if isQuiet, !row.isTrouble { return }
      state.pending.append(row)
      if state.pending.count >= Self.measured { Self.flush(&state) }
    }
  }

  /// Shows what is left to show, and the totals.
  func end() {
    state.withLock { state in
      if isJSON { return say(JSONText.line(PlanTotalsJSON(state.totals))) }
      Self.flush(&state)
      StandardStream.output.write(state.table.legend)
      say(state.totals.text)
    }
  }

  private static func flush(_ state: inout State) {
    StandardStream.output.write(state.table.text(state.pending))
    state.pending = []
  }
}

/// What a plan amounts to.
struct PlanTotals {
  /// Of rows; those of parts are not counted.
  var verdicts: [PlanRow.Verdict: Int] = [:]
  var files = 0
  /// Parts of files that would be sent.
  var parts = 0
  /// Of the files that would be sent.
  var bytes: Int64 = 0
  /// Files that would be sent, and what follows would fail.
  var stepsFailed = 0
  var trouble = 0
  /// Recipes of which it is not known what else they would find.
  private var unknownDiscoveries = 0

  mutating func add(_ row: PlanRow) {
    if row.whole == nil { verdicts[row.verdict, default: 0] += 1 }
    if row.isFile { files += 1 }
    if row.isOfDiscovery { unknownDiscoveries += 1 }
    if row.verdict == .send || row.verdict == .resume {
      // The bytes of a file in parts are those of its parts.
      if row.parts == 0 { bytes += row.size ?? 0 }
      if row.whole != nil { parts += 1 }
    }
    if row.isTrouble { trouble += 1 }
    if row.steps.contains(where: { if case .failed = $0 { true } else { false } }) { stepsFailed += 1 }
  }

  /// The count in one line.
  var text: String {
    var parts = ["\(verdicts[.send] ?? 0) to send"]
    let others: [(PlanRow.Verdict, String)] = [
      (.resume, "to finish"), (.alreadySent, "already sent"), (.touched, "touched"), (.ownWork, "own work"),
      (.skip, "skipped"), (.reject, "rejected"), (.fail, "failed"), (.defer, "deferred"),
      (.waiting, "waiting"), (.unknown, "unknown"), (.left, "left for another run"),
    ]
    parts[0] += " (\(Format.bytes(bytes))\(self.parts > 0 ? ", \(Format.count(self.parts, "part"))" : ""))"
    for (verdict, words) in others {
      let count = (verdicts[verdict] ?? 0) - (verdict == .unknown ? unknownDiscoveries : 0)
      if count > 0 { parts.append("\(count) \(words)") }
    }
    if unknownDiscoveries > 0 { parts.append("unknown how many more") }
    if stepsFailed > 0 { parts.append("\(stepsFailed) with a step afterwards that fails") }
    if let count = verdicts[.problem] { parts.append(Format.count(count, "problem")) }
    return
      "\(Format.count(files, "file")): \(parts.joined(separator: ", ")). Nothing was done: this is a dry run."
  }
}
