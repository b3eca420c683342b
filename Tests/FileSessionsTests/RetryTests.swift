import FileSessions
import Synchronization
import Testing

@Suite("When a call is tried again")
struct RetryPolicyTests {
  private let policy = RetryPolicy.standard

  private func error(
    _ kind: ServiceError.Kind, retryAfter: Duration? = nil, shouldRetry: Bool? = nil
  ) -> ServiceError {
    ServiceError(kind, "?", retryAfter: retryAfter, shouldRetry: shouldRetry)
  }

  @Test(
    "the transient classes are tried again, and no others",
    arguments: ServiceError.Kind.allCases)
  func classes(kind: ServiceError.Kind) {
    let transient: Set<ServiceError.Kind> = [
      .requestTimeout, .idempotencyConflict, .tooManyRequests, .internalServerError, .serviceUnavailable,
      .gatewayTimeout, .unreachable,
    ]
    let decision = policy.decide(after: error(kind), attempt: 1, chance: 0)
    #expect((decision != .giveUp) == transient.contains(kind))
  }

  @Test("the service's own word overrules the class")
  func shouldRetry() {
    let refused = error(.serviceUnavailable, shouldRetry: false)
    #expect(policy.decide(after: refused, attempt: 1, chance: 0) == .giveUp)
    let invited = error(.conflict, shouldRetry: true)
    #expect(policy.decide(after: invited, attempt: 1, chance: 0) == .retry(after: .milliseconds(500)))
  }

  @Test("two more tries, no third")
  func attempts() {
    #expect(policy.decide(after: error(.unreachable), attempt: 2, chance: 0) == .retry(after: .seconds(1)))
    #expect(policy.decide(after: error(.unreachable), attempt: 3, chance: 0) == .giveUp)
  }

  @Test(
    "waits double from half a second to eight",
    arguments: [(1, 500), (2, 1000), (3, 2000), (4, 4000), (5, 8000), (6, 8000), (1000, 8000)])
  func backoff(attempt: Int, milliseconds: Int) {
    var patient = policy
    patient.attempts = 10_000
    let decision = patient.decide(after: error(.unreachable), attempt: attempt, chance: 0)
    #expect(decision == .retry(after: .milliseconds(milliseconds)))
  }

  @Test("chance shortens a wait by a quarter at the most", arguments: [0, 0.25, 0.5, 0.999])
  func jitter(chance: Double) {
    guard case .retry(let wait) = policy.decide(after: error(.unreachable), attempt: 1, chance: chance) else {
      Issue.record("not tried again")
      return
    }
    #expect(wait <= .milliseconds(500))
    #expect(wait > .milliseconds(374))
    #expect(abs(wait.inSeconds - 0.5 * (1 - 0.25 * chance)) < 1e-9)
  }

  @Test(
    "a wait that the service asks for is obeyed to the letter, up to a minute",
    arguments: [
      (.milliseconds(1), .milliseconds(1)), (.seconds(2), .seconds(2)), (.seconds(60), .seconds(60)),
      (.seconds(61), .milliseconds(500)), (.zero, .milliseconds(500)), (.seconds(-3), .milliseconds(500)),
    ] as [(Duration, Duration)])
  func retryAfter(asked: Duration, wait: Duration) {
    let decision = policy.decide(after: error(.tooManyRequests, retryAfter: asked), attempt: 1, chance: 0)
    #expect(decision == .retry(after: wait))
  }
}

@Suite("Trying again")
struct RetrierTests {
  private struct Cancelled: Error {}

  private final class Log: Sendable {
    let waits = Mutex<[Duration]>([])
    let calls = Atomic(0)
  }

  private func retrier(_ log: Log, cancelled: Bool = false) -> Retrier {
    Retrier(
      policy: .standard,
      sleep: { wait in
        if cancelled { throw Cancelled() }
        log.waits.withLock { $0.append(wait) }
      }, chance: { 0 })
  }

  @Test("a call that succeeds at last gives its value after the waits of the policy")
  func succeeds() async throws {
    let log = Log()
    let value = try await retrier(log)({ () async throws(ServiceError) -> String in
      let number = log.calls.add(1, ordering: .relaxed).newValue
      if number < 3 { throw ServiceError(.serviceUnavailable, "\(number)") }
      return "done"
    })
    #expect(value == "done")
    #expect(log.waits.withLock { $0 } == [.milliseconds(500), .seconds(1)])
  }

  @Test("the last error is what the caller gets")
  func givesUp() async {
    let log = Log()
    let error = await #expect(throws: ServiceError.self) {
      try await retrier(log)({ () async throws(ServiceError) -> Void in
        throw ServiceError(.serviceUnavailable, "\(log.calls.add(1, ordering: .relaxed).newValue)")
      })
    }
    #expect(error?.message == "3")
  }

  @Test("a final error is not tried again")
  func finalError() async {
    let log = Log()
    await #expect(throws: ServiceError.self) {
      try await retrier(log)({ () async throws(ServiceError) -> Void in
        log.calls.add(1, ordering: .relaxed)
        throw ServiceError(.notFound, "none")
      })
    }
    #expect(log.calls.load(ordering: .relaxed) == 1)
  }

  @Test("a wait that is cancelled ends with the error that led to it")
  func cancelledWait() async {
    let log = Log()
    let error = await #expect(throws: ServiceError.self) {
      try await retrier(log, cancelled: true)({ () async throws(ServiceError) -> Void in
        throw ServiceError(.unreachable, "no connection")
      })
    }
    #expect(error?.message == "no connection")
  }
}
