import Ingestion
import LuaHost
import Workspace

extension RecipeReader {
  /// `settle`, `in_progress` and `ready`: when a file counts as complete.
  func settling() throws(ScriptError) -> Settling {
    var settling = Settling()
    settling.quiet = try time(.settle, isZeroFine: true)
    if let value = self[.inProgress] {
      settling.inProgress = try inProgress(value)
    }
    if let value = self[.ready] {
      guard let text = value.text else { throw unwanted(.ready, value) }
      do throws(ReadyMarker.Problem) {
        settling.ready = try ReadyMarker(text)
      } catch {
        throw wrong(.ready, "is \(described(value)): \(error.message)")
      }
    }
    return settling
  }

  /// `rescan` for a walk, `every` for a function: how often discovery is taken again while watching.
  func rediscovery(of discover: RecipePlan.Discover) throws(ScriptError) -> Duration? {
    let isFunction = if case .function = discover { true } else { false }
    let (right, wrongKey): (RecipeKey, RecipeKey) = isFunction ? (.every, .rescan) : (.rescan, .every)
    guard self[wrongKey] == nil else {
      throw wrong(
        wrongKey,
        isFunction
          ? "is for a `discover` that looks through directories; for a function write every = \"15m\""
          : "is for a `discover` that is a function; for directories, which are watched, write rescan = 300")
    }
    return try time(right, isZeroFine: false)
  }

  private func inProgress(_ value: LuaValue) throws(ScriptError) -> [Glob] {
    guard case .table(let table) = value, table.fields.isEmpty else { throw unwanted(.inProgress, value) }
    var globs: [Glob] = []
    for item in table.array {
      guard let text = item.text, !text.isEmpty, !text.contains("/") else {
        throw unwanted(.inProgress, item)
      }
      do throws(GlobError) {
        globs.append(try Glob(text))
      } catch {
        throw wrong(.inProgress, "has a mistake: \(error.message)")
      }
    }
    return globs
  }

  private func time(_ key: RecipeKey, isZeroFine: Bool) throws(ScriptError) -> Duration? {
    guard let value = self[key] else { return nil }
    guard let time = Self.time(value), isZeroFine || time > .zero else { throw unwanted(key, value) }
    return time
  }

  /// A time: seconds, or a text such as `90s`; nil when it is none.
  static func time(_ value: LuaValue) -> Duration? {
    let seconds = value.number ?? value.text.flatMap(Self.seconds)
    guard let seconds, (0...Self.longest).contains(seconds) else { return nil }
    return .milliseconds(Int64((seconds * 1000).rounded(.up)))
  }

  /// A year.
  private static let longest = 31_536_000.0
  private static let units: [String: Double] = ["ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400]

  /// The seconds of a text such as `90s`; nil when it is none.
  private static func seconds(_ text: String) -> Double? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard digits.first?.isNumber == true, let number = Double(digits),
      let unit = units[String(text[digits.endIndex...])]
    else { return nil }
    return number * unit
  }

  func unwanted(_ key: RecipeKey, _ value: LuaValue) -> ScriptError {
    wrong(key, "is \(described(value)); it takes \(key.wanted.value)")
  }
}
