/// Decides when the next call of one category may go: a value without a clock of its own.
///
/// Three rules, of which the strictest holds:
///
/// - Calls are spread over the second, with a little room to catch up after a late one.
/// - A call holds a place until a second after the service dealt with it, and there are as many places as calls are
///   allowed in a second. So no second of the service's, however it counts them, sees more: neither windows that
///   begin on the second nor calls that were held up on the way and arrive together make a difference.
/// - After a 429 nothing goes for as long as it says.
///
/// What others of the organisation use shows in the answers, and is left to them.
package struct RateBucket: Sendable {
  /// A call that was let through.
  package struct Ticket: Hashable, Sendable {
    fileprivate let number: Int
    fileprivate let sent: Duration
    /// How many places were taken when it was sent, its own among them.
    fileprivate let taken: Int
  }

  package enum Admission: Hashable, Sendable {
    case go(Ticket)
    /// Not before this moment.
    case wait(until: Duration)
    /// Not before an answer comes.
    case full
  }

  /// What the service gives when it says nothing else: the limit of API version 2026-03-01.
  package static let usualLimit = 25
  private static let second = Duration.seconds(1)
  /// Longer than clocks and timers are inexact, and 0.2 % of a second.
  private static let margin = Duration.milliseconds(2)

  private let share: Int?
  private var serviceLimit = usualLimit
  /// What others were seen to use of the limit.
  private var others = 0
  private var othersSeen = Duration.zero
  /// By how much the limit is undercut since the last 429.
  private var caution = 0
  private var cautionSince = Duration.zero

  private var places: [Int: Duration?] = [:]
  private var issued = 0
  private var due = Duration.zero
  private var pausedUntil = Duration.zero
  private var way = Way()

  /// - Parameter share: the most calls a second, nil for all that the service gives.
  package init(share: Int?) {
    self.share = share
  }

  /// Calls a second at present.
  package var rate: Int { max(1, min(share ?? .max, serviceLimit - others - caution)) }

  private var interval: Duration { Self.second / rate }

  /// Lets a call through, or tells when to ask again.
  package mutating func admit(at now: Duration) -> Admission {
    free(at: now)
    guard now >= pausedUntil else { return .wait(until: pausedUntil) }
    // A fifth of a second's calls may go at once after a pause.
    let early = due - interval * max(0, rate / 5 - 1)
    guard now >= early else { return .wait(until: early) }
    guard places.count < rate else {
      return places.values.compactMap { $0 }.min().map { .wait(until: $0) } ?? .full
    }
    due = max(due, now) + interval
    issued += 1
    places[issued] = .some(nil)
    return .go(Ticket(number: issued, sent: now, taken: places.count))
  }

  /// Takes note of an answer, or of there being none.
  package mutating func answered(_ ticket: Ticket, _ report: RateReport?, at now: Duration) {
    let took = now - ticket.sent
    if report != nil { way.add(took) }
    places[ticket.number] = .some(now - min(way.shortest, took) + Self.second + Self.margin)
    guard let report else { return }
    if let limit = report.limit, limit > 0 { serviceLimit = limit }
    watchOthers(ticket, report, at: now)
    if let pause = report.pause {
      pausedUntil = max(pausedUntil, now + pause)
      // Once for all calls that were under way together.
      if now - cautionSince >= Self.second || caution == 0 {
        caution = min(serviceLimit - 1, caution + max(1, rate / 5))
        cautionSince = now
      }
    } else if caution > 0, now - cautionSince >= Self.second * 5 {
      caution -= 1
      cautionSince = now
    }
  }

  /// Whatever of the limit is used, and was not by calls that went out in the second before this one or beside it.
  private mutating func watchOthers(_ ticket: Ticket, _ report: RateReport, at now: Duration) {
    guard let limit = report.limit, let remaining = report.remaining else { return }
    let own = ticket.taken + (issued - ticket.number)
    let foreign = max(0, limit - remaining - own)
    if foreign >= others {
      others = foreign
      othersSeen = now
    } else if now - othersSeen >= Self.second {
      others = max(foreign, others - max(1, others / 4))
      othersSeen = now
    }
  }

  private mutating func free(at now: Duration) {
    for (number, free) in places {
      if let free, free <= now { places[number] = nil }
    }
  }
}

/// How long the way to the service and back takes at least.
///
/// When the service dealt with a call is not known. But between its dealing with one call and with another that went
/// out after the answer to the first, there is at least the shortest way there and back; so that much of the second
/// between them has passed by itself. A guess that is too long would break the promise, one too short costs a little
/// speed; the more the times differ, the shorter it is.
private struct Way {
  /// Fewer times say too little.
  private static let needed = 25

  private var count = 0
  private var least = Duration.zero
  private var mean = Duration.zero

  mutating func add(_ took: Duration) {
    count += 1
    // Slowly forgotten, so that a way that became longer counts as that.
    least = count == 1 ? took : min(took, least + least / 2000)
    mean = count == 1 ? took : mean + (took - mean) / 16
  }

  var shortest: Duration {
    count < Self.needed ? .zero : max(.zero, least - (mean - least))
  }
}
