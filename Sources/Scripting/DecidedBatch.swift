import Ingestion
import Synchronization

/// What came of asking the script about a candidate.
enum Outcome: Sendable {
  case ruling(Ruling)
  /// The state had no more memory; this call may be at fault, or one that waited meanwhile.
  case outOfMemory(Failure)
  case cancelled
}

/// Candidates that are decided together, as far as they are.
struct DecidedBatch {
  private enum Progress {
    case open
    /// Its ruling was told.
    case decided
    /// It was not asked to the end, and will not be.
    case left
  }

  let candidates: [Candidate]
  /// Is told each ruling once.
  let each: @Sendable (Int, Ruling) -> Void
  private var progress: [Progress]

  init(_ candidates: [Candidate], each: @escaping @Sendable (Int, Ruling) -> Void) {
    self.candidates = candidates
    self.each = each
    progress = Array(repeating: .open, count: candidates.count)
  }

  /// The candidates that are to be asked, or asked again.
  var undecided: [Int] { progress.indices.filter { progress[$0] == .open } }

  /// Tells of those that have no ruling that they were not asked.
  func leaveTheRest() {
    for index in progress.indices where progress[index] != .decided { each(index, .unasked) }
  }

  /// Takes what calls gave that ran together; their rulings have been told.
  ///
  /// - Returns: Those that were under way when one ran out of memory.
  mutating func take(_ outcomes: [(Int, Outcome)]) -> [Int] {
    let isOutOfMemory = outcomes.contains { if case .outOfMemory = $0.1 { true } else { false } }
    var suspects: [Int] = []
    for (index, outcome) in outcomes {
      switch outcome {
      case .ruling: progress[index] = .decided
      case .outOfMemory: suspects.append(index)
      case .cancelled:
        if isOutOfMemory { suspects.append(index) } else { progress[index] = .left }
      }
    }
    return suspects.sorted()
  }

  /// Takes what a call gave that ran alone, and tells it: what it broke it broke by itself.
  mutating func take(_ outcome: Outcome, alone index: Int) {
    progress[index] = .decided
    switch outcome {
    case .ruling(let ruling): each(index, ruling)
    case .outOfMemory(let failure): each(index, .fault(failure))
    case .cancelled: progress[index] = .left
    }
  }
}

/// Something that happens once, seen from any thread.
final class Flag: Sendable {
  private let raised = Atomic<Bool>(false)

  var isRaised: Bool { raised.load(ordering: .acquiring) }

  func raise() { raised.store(true, ordering: .releasing) }
}
