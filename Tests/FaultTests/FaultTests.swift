import FileSessions
import Ingestion
import NIOHTTP1
import ServiceTestSupport
import Synchronization
import Testing

@Suite("What befalls one exchange")
struct FaultTests {
  /// The calls that lead a file to its end.
  enum Call: CaseIterable, Sendable {
    case create, put, complete

    func matches(_ head: HTTPRequestHead) -> Bool {
      switch self {
      case .create: head.method == .POST && head.uri == "/v1/files"
      case .put: head.method == .PUT
      case .complete: head.method == .POST && head.uri.hasSuffix("/complete")
      }
    }
  }

  static let faults: [Fault] = [
    .resetBeforeBody, .resetDuringBody(after: 1), .resetDuringBody(after: 50_000), .resetAfterBody,
    .loseResponse,
    .stallRequest, .stallResponse(after: 0), .stallResponse(after: 40), .truncateResponse(after: 0),
    .truncateResponse(after: 12), .truncateResponse(after: 100), .truncateResponse(after: .max),
    .answer(.tooManyRequests(["retry-after": "3"])), .answerAfterwards(.gateway(502)), .answer(.gateway(500)),
    .answer(.gateway(503)), .answerAfterwards(.gateway(503)), .answerAfterwards(.gateway(504)),
    .answer(CannedAnswer(408)),
  ]

  static let file = FaultyRoad.File(stem: "one", bytes: noise(200_000))
  static let knowledge = FaultyRoad.File(stem: "two-knowledge_user", bytes: noise(200_000, seed: 2))

  @Test(
    "once, is made good within the run", arguments: Call.allCases, faults)
  func once(call: Call, fault: Fault) async throws {
    for file in [Self.file, Self.knowledge] {
      let left = Mutex(1)
      try await FaultyRoad.with(
        [file],
        faults: { head in
          guard call.matches(head),
            left.withLock({
              $0 -= 1; return $0 >= 0
            })
          else { return .none }
          return fault
        }
      ) { road in
        let summary = try await road.run()
        #expect(summary.stop == nil && summary.sent == 1 && summary.isClean, "\(summary)")
        #expect(left.withLock { $0 } < 1, "the fault did not take place")
        #expect(try await road.faults(of: [file]) == [])
      }
    }
  }

  @Test(
    "as often as a run tries ends it, and the next one does what is left", arguments: Call.allCases, faults)
  func standing(call: Call, fault: Fault) async throws {
    for file in [Self.file, Self.knowledge] {
      let left = Mutex(3)
      try await FaultyRoad.with(
        [file],
        faults: { head in
          guard call.matches(head),
            left.withLock({
              $0 -= 1; return $0 >= 0
            })
          else { return .none }
          return fault
        }
      ) { road in
        let summary = try #require(try await road.runUntilDone(atMost: 3))
        #expect(summary.isClean, "\(summary)")
        #expect(try await road.faults(of: [file]) == [])
        let again = try await road.run()
        #expect(again.alreadyDone == 1 && again.sent == 0)
        #expect(try await road.faults(of: [file]) == [])
      }
    }
  }

  @Test(
    "a 429 is waited for as long as it says, in each of its forms",
    arguments: [
      (["retry-after": "3"], 3000...3000), (["retry-after": "0.25"], 250...250),
      (["retry-after-ms": "1500"], 1500...1500),
      (["retry-after-ms": "1500", "retry-after": "9"], 1500...1500),
      (
        ["retry-after": "Wed, 08 Apr 2026 11:00:07 GMT", "date": "Wed, 08 Apr 2026 11:00:03 GMT"],
        4000...4000
      ),
      // By the test's clock, which stands at 11:00:00.
      (["retry-after": "Wed, 08 Apr 2026 11:00:05 GMT"], 5000...5000),
      // More than a minute is not obeyed, nor is nonsense.
      (["retry-after": "61"], 375...500), (["retry-after": "soon"], 375...500), ([:], 375...500),
      (["retry-after": "-1"], 375...500), (["retry-after": "Wed, 08 Apr 2020 11:00:05 GMT"], 375...500),
    ] as [([String: String], ClosedRange<Int64>)])
  func retryAfter(headers: [String: String], milliseconds: ClosedRange<Int64>) async throws {
    for call in Call.allCases {
      let left = Mutex(1)
      try await FaultyRoad.with(
        [Self.file],
        faults: { head in
          guard call.matches(head),
            left.withLock({
              $0 -= 1; return $0 >= 0
            })
          else { return .none }
          return .answer(.tooManyRequests(headers))
        }
      ) { road in
        _ = try await road.run()
        let waits = road.retryWaits.map(\.wholeMilliseconds)
        #expect(waits.count == 1 && milliseconds.contains(waits.first ?? -1), "\(call): \(waits)")
        #expect(try await road.faults(of: [Self.file]) == [])
      }
    }
  }

  @Test("that the service forbids to try again is not tried again")
  func forbidden() async throws {
    let tries = Mutex(0)
    try await FaultyRoad.with(
      [Self.file],
      faults: { head in
        guard Call.create.matches(head) else { return .none }
        tries.withLock { $0 += 1 }
        return .answer(CannedAnswer(503, headers: ["x-should-retry": "false"]))
      }
    ) { road in
      let summary = try await road.run()
      guard case .service = summary.stop else {
        Issue.record("the run did not end with the service: \(summary)")
        return
      }
      #expect(tries.withLock { $0 } == 1)
    }
  }

  @Test("that a service asks to try again is tried again, whatever its class")
  func asked() async throws {
    let left = Mutex(1)
    try await FaultyRoad.with(
      [Self.file],
      faults: { head in
        guard Call.complete.matches(head),
          left.withLock({
            $0 -= 1; return $0 >= 0
          })
        else { return .none }
        return .answer(CannedAnswer(400, headers: ["x-should-retry": "true"]))
      }
    ) { road in
      let summary = try await road.run()
      #expect(summary.sent == 1 && summary.isClean)
      #expect(try await road.faults(of: [Self.file]) == [])
    }
  }
}
