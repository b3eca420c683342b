import FileSessions
import Foundation
import Synchronization

/// Holds all transfers together to a rate, which may change with the time of day.
///
/// Bytes are let through in small pieces, in turn: what is sent in a second is never much more than the rate, and
/// each of several transfers gets its part.
package final class Throttle: Sendable {
  /// The part of a second that a piece takes, and for how long unused time may be made up for.
  private static let step = 0.125
  /// The smallest piece, for slow rates.
  private static let smallest = 1024

  private struct State {
    /// When the line is free again, in seconds since 1970.
    var free = 0.0
    var last = 0.0
    var minute: Int64 = .min
    var rate: Int64?
  }

  private let timetable: BandwidthTimetable
  private let clock: WallClock
  private let zone: TimeZone
  private let sleep: @Sendable (Duration) async throws -> Void
  private let turnstile = Turnstile()
  private let state = Mutex(State())

  /// - Parameters:
  ///   - zone: in which the timetable's times are.
  ///   - sleep: waits; throws when its task is cancelled.
  package init(
    _ timetable: BandwidthTimetable, clock: WallClock, zone: TimeZone,
    sleep: @escaping @Sendable (Duration) async throws -> Void
  ) {
    self.timetable = timetable
    self.clock = clock
    self.zone = zone
    self.sleep = sleep
  }

  /// How many bytes a second may be sent on the average in the time to come; nil: without limit.
  package func average(over time: Duration) -> Double? {
    timetable.average(over: time, from: clock.now, in: zone)
  }

  /// The same bytes, sent at this pace.
  package func source(_ base: any ByteSource) -> any ByteSource {
    ThrottledSource(base: base, throttle: self)
  }

  /// How many of the next `count` bytes may be sent now, 1 at the least; waits until there are some.
  package func admit(_ count: Int) async throws -> Int {
    if rate() == nil { return count }
    return try await turnstile.pass {
      while let rate = rate() {
        let size = min(count, max(Self.smallest, Int(Double(rate) * Self.step)))
        guard let wait = take(size, at: Double(rate)) else { return size }
        // In parts, so that a rate that changes meanwhile holds from its time on.
        try await sleep(.milliseconds(Int64((min(wait, 1) * 1000).rounded(.up))))
      }
      return count
    }
  }

  /// The rate that holds now. It can only change with the minute.
  private func rate() -> Int64? {
    let now = clock.now
    return state.withLock { state in
      let minute = now.milliseconds / 60_000
      if minute != state.minute {
        state.minute = minute
        state.rate = timetable.rate(at: now, in: zone)
      }
      return state.rate
    }
  }

  /// Takes the time that so many bytes need; how many seconds to wait where the line is not free yet.
  private func take(_ size: Int, at rate: Double) -> Double? {
    let now = Double(clock.now.milliseconds) / 1000
    return state.withLock { state in
      // A clock that was set back would have all wait until it is there again.
      if now < state.last { state.free -= state.last - now }
      state.last = now
      if state.free > now { return state.free - now }
      state.free = max(state.free, now - Self.step) + Double(size) / rate
      return nil
    }
  }
}

/// A source whose bytes are sent at the pace of a throttle.
private struct ThrottledSource: ByteSource {
  let base: any ByteSource
  let throttle: Throttle

  var length: Int64 { base.length }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
    try base.read(into: buffer, at: offset)
  }

  func admitted(_ count: Int) async throws -> Int {
    try await throttle.admit(try await base.admitted(count))
  }
}
