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
  let candidates: [Candidate]
  private var decided: [Ruling?]

  init(_ candidates: [Candidate]) {
    self.candidates = candidates
    decided = Array(repeating: nil, count: candidates.count)
  }

  /// The rulings in the candidates' order; those without one were not asked.
  var rulings: [Ruling] { decided.map { $0 ?? .unasked } }

  /// The candidates that are to be asked, or asked again.
  var undecided: [Int] { decided.indices.filter { decided[$0] == nil } }

  /// Takes what calls gave that ran together.
  ///
  /// - Returns: Those that were under way when one ran out of memory.
  mutating func take(_ outcomes: [(Int, Outcome)]) -> [Int] {
    let isOutOfMemory = outcomes.contains { if case .outOfMemory = $0.1 { true } else { false } }
    var suspects: [Int] = []
    for (index, outcome) in outcomes {
      switch outcome {
      case .ruling(let ruling): decided[index] = ruling
      case .outOfMemory: suspects.append(index)
      case .cancelled:
        if isOutOfMemory { suspects.append(index) } else { decided[index] = .unasked }
      }
    }
    return suspects.sorted()
  }

  /// Takes what a call gave that ran alone: what it broke it broke by itself.
  mutating func take(_ outcome: Outcome, alone index: Int) {
    decided[index] =
      switch outcome {
      case .ruling(let ruling): ruling
      case .outOfMemory(let failure): .fault(failure)
      case .cancelled: .unasked
      }
  }
}

/// Something that happens once, seen from any thread.
final class Flag: Sendable {
  private let raised = Atomic<Bool>(false)

  var isRaised: Bool { raised.load(ordering: .acquiring) }

  func raise() { raised.store(true, ordering: .releasing) }
}
