import FileSessions
import LuaHost

extension LuaLibrary {
  /// `moontide.time`: `now`, `parse` and `format`; times are seconds since 1970 in UTC.
  static func time(_ context: LibraryContext) -> LuaModule {
    LuaModule("moontide.time") { module in
      module.function("now") { call in call.push(Double(context.clock.now.milliseconds) / 1000) }
      module.function("parse") { call in
        let text = try call.string(1)
        guard let seconds = CivilTime.parse(text) else {
          throw LuaValueError(
            place: "\(call.name): argument #1", wanted: "ISO 8601 time", got: LuaValue.string(text).summary,
            hint: "as in 2026-04-08, 2026-04-08T11:00:00Z or 2026-04-08T13:00:00.5+02:00")
        }
        call.push(seconds)
      }
      module.function("format") { call in
        let seconds = try call.finite(1)
        guard let time = CivilTime(seconds: seconds) else {
          throw LuaValueError(
            place: "\(call.name): argument #1", problem: "\(seconds) is not in the years 0001 to 9999",
            hint: "the time is given in seconds")
        }
        guard let pattern = try call.optionalString(2) else { return try call.push(time.iso) }
        let text: String
        do throws(CivilTime.PatternError) {
          text = try time.format(pattern)
        } catch {
          throw LuaValueError(place: "\(call.name): argument #2", problem: error.problem, hint: error.hint)
        }
        try call.push(text)
      }
    }
  }
}
