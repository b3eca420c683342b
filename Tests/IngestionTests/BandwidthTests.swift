import FileSessions
import Foundation
import Ingestion
import Synchronization
import Testing

@Suite("How fast, and when")
struct BandwidthTests {
  private static let berlin = TimeZone(identifier: "Europe/Berlin") ?? .gmt

  /// A moment by Berlin's clock.
  private func moment(_ text: String) throws -> Timestamp {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = Self.berlin
    formatter.dateFormat = "yyyy-MM-dd HH:mm"
    let date = try #require(formatter.date(from: text))
    return Timestamp(milliseconds: Int64(date.timeIntervalSince1970 * 1000))
  }

  @Test(
    "a timetable gives the rate of the hour and the day",
    arguments: [
      ("10M", "2026-11-22 03:00", 10 << 20), ("off", "2026-11-22 03:00", nil),
      ("1.5K", "2026-11-22 03:00", 1536), ("2048B", "2026-11-22 03:00", 2048),
      ("1GiB", "2026-11-22 03:00", 1 << 30),
      ("08:00,512K 18:00,off", "2026-11-22 08:00", 512 << 10),
      ("08:00,512K 18:00,off", "2026-11-22 17:59", 512 << 10),
      ("08:00,512K 18:00,off", "2026-11-22 18:00", nil), ("08:00,512K 18:00,off", "2026-11-22 07:59", nil),
      // 2026-11-22 is a Sunday.
      ("Mon-08:00,1M Sat-00:00,5M", "2026-11-22 10:00", 5 << 20),
      ("Mon-08:00,1M Sat-00:00,5M", "2026-11-23 07:59", 5 << 20),
      ("Mon-08:00,1M Sat-00:00,5M", "2026-11-23 08:00", 1 << 20),
      ("monday-00:00,1M 12:00,2M Sun-20:00,off", "2026-11-25 11:00", 2 << 20),
      ("monday-00:00,1M 12:00,2M Sun-20:00,off", "2026-11-22 20:00", nil),
      // The hour that is left out when the clock is put forward.
      ("02:30,1M 04:00,2M", "2026-03-29 03:10", 1 << 20),
    ] as [(String, String, Int64?)])
  func rates(text: String, at: String, rate: Int64?) throws {
    let timetable = try BandwidthTimetable(text)
    #expect(timetable.rate(at: try moment(at), in: Self.berlin) == rate)
    #expect(timetable.isUnlimited == (text == "off"))
  }

  @Test(
    "a text that is no timetable is refused, naming the part that is wrong",
    arguments: [
      ("", "it is empty"), ("512", "512K for KiB"), ("fast", "\"fast\" is no rate"),
      ("10X", "the unit \"X\""),
      ("08:00,1M 25:00,off", "\"25:00\" in \"25:00,off\" is no time of day"), ("08:00", "no entry"),
      ("08:00,1M off", "\"off\" is no entry"), ("Foo-08:00,1M", "\"Foo\" in \"Foo-08:00,1M\" is no day"),
      ("08:00,1M 8:00,2M", "another entry"), ("08:00,1M,2M", "no entry"), ("0K", "nothing would be sent"),
      ("0", "nothing would be sent"),
      ("100B", "the least is 1K"), ("9999999T", "faster than any line"),
      ("10M:1M", "no entry"),
      ("08:00,", "is no rate"),
    ])
  func problems(text: String, message: String) {
    #expect {
      _ = try BandwidthTimetable(text)
    } throws: { error in
      (error as? BandwidthTimetable.Problem)?.message.contains(message) == true
    }
  }

  @Test("the average of a time to come goes over the entries that fall in it")
  func average() throws {
    let timetable = try BandwidthTimetable("08:00,1M 08:15,3M 09:00,off")
    let start = try moment("2026-11-22 08:00")
    #expect(timetable.average(over: .seconds(1800), from: start, in: Self.berlin) == Double(2 << 20))
    #expect(timetable.average(over: .seconds(7200), from: start, in: Self.berlin) == nil)
    let single = try BandwidthTimetable("512K")
    #expect(single.average(over: .seconds(1800), from: start, in: Self.berlin) == Double(512 << 10))
  }

  @Test("transfers share the rate, whose changes hold from their minute on")
  func throttle() async throws {
    let clock = VirtualClock(now: try moment("2026-11-22 07:59"), runsByItself: true)
    let throttle = Throttle(
      try BandwidthTimetable("00:00,1M 08:00,4M 08:01,off"), clock: clock.wall, zone: Self.berlin,
      sleep: clock.sleep)
    let start = clock.now
    // A minute at 1 MiB/s, then half of one at 4 MiB/s.
    let each: Int64 = 45 << 20
    let parts = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          var (left, pieces) = (each, 0)
          while left > 0, let count = try? await throttle.admit(Int(min(left, 1 << 20))) {
            left -= Int64(count)
            pieces += 1
          }
          return pieces
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let seconds = (clock.now - start).inSeconds
    #expect((89...91).contains(seconds), "\(seconds)")
    #expect(parts.allSatisfy { $0 > 50 }, "\(parts)")
    // Later on there is no limit.
    clock.advance(by: .seconds(60))
    #expect(try await throttle.admit(1 << 30) == 1 << 30)
  }

  @Test("one that is cancelled while it waits for its turn ends, and the others go on")
  func cancelling() async throws {
    let clock = VirtualClock(runsByItself: false)
    let throttle = Throttle(
      try BandwidthTimetable("8K"), clock: clock.wall, zone: .gmt, sleep: clock.sleep)
    _ = try await throttle.admit(4096)
    let waiting = (0..<3).map { _ in Task { try await throttle.admit(4096) } }
    waiting[1].cancel()
    await #expect(throws: CancellationError.self) { try await waiting[1].value }
    try await clock.flow {
      for number in [0, 2] {
        let count = try await waiting[number].value
        #expect(count == 1024)
      }
    }
  }

  @Test(
    "a window is open between its times, and opens next at the first of them",
    arguments: [
      ("22:00-06:00", "2026-11-22 21:59", "2026-11-22 22:00"), ("22:00-06:00", "2026-11-22 22:00", nil),
      ("22:00-06:00", "2026-11-23 05:59", nil), ("22:00-06:00", "2026-11-23 06:00", "2026-11-23 22:00"),
      ("08:30-17:00", "2026-11-22 17:00", "2026-11-23 08:30"), ("08:30-17:00", "2026-11-22 12:00", nil),
      ("00:00-06:00", "2026-11-22 23:59", "2026-11-23 00:00"),
      // The clock is put forward at 02:00, and back at 03:00.
      ("02:30-05:00", "2026-03-29 01:59", "2026-03-29 03:00"),
      ("12:00-13:00", "2026-03-28 13:00", "2026-03-29 12:00"),
      ("12:00-13:00", "2026-10-24 13:00", "2026-10-25 12:00"),
    ] as [(String, String, String?)])
  func window(text: String, at: String, opening: String?) throws {
    let opening = try opening.map { try moment($0) }
    #expect(try DailyWindow(text).opening(after: try moment(at), in: Self.berlin) == opening)
  }

  @Test(
    "a text that is no window is refused",
    arguments: ["22:00", "22-6", "22:00-24:00", "06:00-06:00", "a-b", ""])
  func wrongWindow(text: String) {
    #expect(throws: DailyWindow.Problem.self) { _ = try DailyWindow(text) }
  }
}
