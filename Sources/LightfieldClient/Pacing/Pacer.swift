/// Lets calls go one after the other, as fast as the service allows and no faster.
///
/// The service counts by organisation, so whatever talks to it in one process shares one pacer. In each category
/// who comes first goes first; the categories do not hold each other up.
package actor Pacer {
  /// A call that was let through; it has to be answered for.
  package struct Pass: Sendable {
    fileprivate let category: RateCategory
    fileprivate let ticket: RateBucket.Ticket
  }

  private typealias Turn = CheckedContinuation<Pass, any Error>

  private struct Lane {
    var bucket: RateBucket
    var waiting: [(number: Int, turn: Turn)] = []
    var alarm: (at: Duration, task: Task<Void, Never>)?
  }

  private let clock: SteadyClock
  private var lanes: [RateCategory: Lane]
  private var arrivals = 0

  /// - Parameter rates: what part of the organisation's limits this process takes.
  package init(rates: RateShares = RateShares(), clock: SteadyClock = .system) {
    self.clock = clock
    lanes = Dictionary(
      uniqueKeysWithValues: RateCategory.allCases.map {
        ($0, Lane(bucket: RateBucket(share: rates[$0])))
      })
  }

  deinit {
    for lane in lanes.values { lane.alarm?.task.cancel() }
  }

  /// Calls a second at present.
  package func rate(_ category: RateCategory) -> Int { lanes[category]?.bucket.rate ?? 0 }

  /// How many calls wait for their turn.
  package func waiting(_ category: RateCategory) -> Int { lanes[category]?.waiting.count ?? 0 }

  /// Waits for the call's turn; throws `CancellationError` when the task is cancelled.
  package func admit(_ category: RateCategory) async throws -> Pass {
    arrivals += 1
    let number = arrivals
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (turn: Turn) in
        guard !Task.isCancelled else { return turn.resume(throwing: CancellationError()) }
        lanes[category]?.waiting.append((number, turn))
        advance(category)
      }
    } onCancel: {
      Task { await self.leave(category, number) }
    }
  }

  /// Takes note of how a call was answered: nil when it was not.
  package func answered(_ pass: Pass, _ report: RateReport?) {
    lanes[pass.category]?.bucket.answered(pass.ticket, report, at: clock.now)
    advance(pass.category)
  }

  private func leave(_ category: RateCategory, _ number: Int) {
    guard let index = lanes[category]?.waiting.firstIndex(where: { $0.number == number }) else { return }
    lanes[category]?.waiting.remove(at: index).turn.resume(throwing: CancellationError())
  }

  /// Lets go who may, and sets the alarm for the next.
  private func advance(_ category: RateCategory) {
    guard var lane = lanes[category] else { return }
    defer { lanes[category] = lane }
    while let first = lane.waiting.first {
      switch lane.bucket.admit(at: clock.now) {
      case .go(let ticket):
        lane.waiting.removeFirst()
        first.turn.resume(returning: Pass(category: category, ticket: ticket))
      case .wait(let moment):
        if let alarm = lane.alarm, alarm.at <= moment { return }
        lane.alarm?.task.cancel()
        lane.alarm = (
          moment,
          Task { [weak self, clock] in
            do { try await clock.sleep(moment - clock.now) } catch { return }
            await self?.rang(category, moment)
          }
        )
        return
      case .full:
        return
      }
    }
  }

  private func rang(_ category: RateCategory, _ moment: Duration) {
    if lanes[category]?.alarm?.at == moment { lanes[category]?.alarm = nil }
    advance(category)
  }
}
