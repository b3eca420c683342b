import FileSessions
import NIOHTTP1
import ServiceTestSupport
import Synchronization

/// Files to send, and what befalls the exchanges while they are sent: all of it by a seed.
///
/// With one transfer at a time the same seed gives the same course; with several it gives the same faults, while
/// which exchange meets which of them depends on their order.
struct Schedule: Sendable {
  let seed: UInt64
  let files: [FaultyRoad.File]
  let transfers: Int
  let director: Director

  init(seed: UInt64) {
    self.seed = seed
    var random = SeededRandom(seed: seed)
    let purposes = ["", "", "-knowledge_user", "-knowledge_workspace", "-meeting_transcript"]
    files = (1...Int.random(in: 1...4, using: &random)).map { number in
      let size =
        Int.random(in: 0..<10, using: &random) == 0
        ? Int.random(in: 500_000...3_000_000, using: &random) : Int.random(in: 1...40_000, using: &random)
      let purpose = purposes.randomElement(using: &random) ?? ""
      return FaultyRoad.File(stem: "f\(number)\(purpose)", bytes: noise(size, seed: random.next()))
    }
    transfers = Int.random(in: 0..<4, using: &random) == 0 ? 3 : 1
    director = Director(
      chance: [0.2, 0.5, 0.9].randomElement(using: &random) ?? 0.5,
      faults: Int.random(in: 1...15, using: &random), random: random)
  }

  /// Gives each exchange its fault until there is none left.
  final class Director: Sendable {
    private struct State {
      var random: SeededRandom
      var left: Int
      /// What answers every exchange until there are so many fewer left.
      var burst: (answer: CannedAnswer, left: Int)?
      var stalls = 1
      var given: [String] = []
    }

    private let chance: Double
    private let state: Mutex<State>

    init(chance: Double, faults: Int, random: SeededRandom) {
      self.chance = chance
      state = Mutex(State(random: random, left: faults))
    }

    /// What befell which exchange so far.
    var given: [String] { state.withLock { $0.given } }

    func decide(_ head: HTTPRequestHead) -> Fault {
      state.withLock { state in
        let fault = next(head, &state)
        if fault != .none { state.given.append("\(head.method) \(head.uri.prefix { $0 != "?" }): \(fault)") }
        return fault
      }
    }

    private func next(_ head: HTTPRequestHead, _ state: inout State) -> Fault {
      if let burst = state.burst, burst.left > 0 {
        state.burst?.left -= 1
        return .answer(burst.answer)
      }
      guard state.left > 0, Double.random(in: 0..<1, using: &state.random) < chance else { return .none }
      state.left -= 1
      let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
      let body = Int.random(in: 0...max(length, 1), using: &state.random)
      let response = Int.random(in: 0...900, using: &state.random)
      switch Int.random(in: 0..<14, using: &state.random) {
      case 0: return .resetBeforeBody
      case 1: return .resetDuringBody(after: body)
      case 2: return .resetAfterBody
      case 3, 4, 5: return .loseResponse
      case 6, 7: return .truncateResponse(after: response)
      case 8: return .answer(.tooManyRequests(Self.waits.randomElement(using: &state.random) ?? [:]))
      case 9:
        return .answerAfterwards(.gateway([500, 502, 503, 504].randomElement(using: &state.random) ?? 500))
      case 10: return .answer(.gateway([408, 500, 503].randomElement(using: &state.random) ?? 500))
      case 11:
        state.burst = (
          .gateway([500, 503].randomElement(using: &state.random) ?? 503),
          Int.random(in: 1...8, using: &state.random)
        )
        return .answer(.gateway(503))
      // Stalls take real time, so there is one at the most.
      case 12 where state.stalls > 0:
        state.stalls -= 1
        return .stallRequest
      case 13 where state.stalls > 0:
        state.stalls -= 1
        return .stallResponse(after: response)
      default: return .loseResponse
      }
    }

    /// The forms of `Retry-After`; the date is two seconds from where the clock of the road begins.
    private static let waits: [[String: String]] = [
      [:], ["retry-after": "2"], ["retry-after-ms": "700"], ["retry-after": "Wed, 08 Apr 2026 11:00:02 GMT"],
    ]
  }
}
