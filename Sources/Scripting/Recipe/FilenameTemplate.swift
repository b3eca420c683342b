import LuaHost
import Workspace

/// A filename with places to fill in: `{stem}-{date}{ext}`. Two braces stand for one.
struct FilenameTemplate: Hashable, Sendable {
  /// What can be filled in.
  enum Field: String, CaseIterable, Sendable {
    case stem, ext, name, dir, relative
    /// The day of the last modification in UTC, `2026-04-08`.
    case date
    case year, month, day
  }

  private enum Part: Hashable, Sendable {
    case text(String)
    case field(Field)
  }

  /// What is wrong with a template.
  struct Problem: Error {
    let message: String
  }

  private var parts: [Part] = []

  init(_ template: String) throws(Problem) {
    var text = ""
    var rest = Substring(template)
    while let character = rest.popFirst() {
      if character == "{" || character == "}", rest.first == character {
        rest.removeFirst()
        text.append(character)
      } else if character == "{" {
        guard let end = rest.firstIndex(of: "}") else {
          throw Problem(message: "a brace is not closed; write {{ for a brace that is meant as one")
        }
        if !text.isEmpty { parts.append(.text(text)) }
        text = ""
        parts.append(.field(try Self.field(String(rest[..<end]))))
        rest = rest[rest.index(after: end)...]
      } else {
        text.append(character)
      }
    }
    if !text.isEmpty { parts.append(.text(text)) }
  }

  private static func field(_ name: String) throws(Problem) -> Field {
    if let field = Field(rawValue: name) { return field }
    let known = Field.allCases.map(\.rawValue)
    let hint =
      nearestName(to: name, in: known).map { "did you mean {\($0)}?" }
      ?? "there are \(known.map { "{\($0)}" }.joined(separator: " "))"
    throw Problem(message: "unknown placeholder {\(escapingControls(name))}; \(hint)")
  }

  /// The filename for a file.
  func filename(path: ProjectPath, relative: String, stamp: FileStamp) -> String {
    parts.reduce(into: "") { result, part in
      switch part {
      case .text(let text): result += text
      case .field(.stem): result += path.stem
      case .field(.ext): result += path.ext
      case .field(.name): result += path.name
      case .field(.dir): result += path.parent?.string ?? "."
      case .field(.relative): result += relative
      case .field(.date):
        let day = CivilDay(nanosecondsSince1970: stamp.modified)
        result += "\(padded(day.year, 4))-\(padded(day.month, 2))-\(padded(day.day, 2))"
      case .field(.year): result += padded(CivilDay(nanosecondsSince1970: stamp.modified).year, 4)
      case .field(.month): result += padded(CivilDay(nanosecondsSince1970: stamp.modified).month, 2)
      case .field(.day): result += padded(CivilDay(nanosecondsSince1970: stamp.modified).day, 2)
      }
    }
  }

  private func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(abs(number))
    return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

/// A day of the Gregorian calendar in UTC.
struct CivilDay: Hashable, Sendable {
  var year: Int
  var month: Int
  var day: Int

  /// The day of a moment, by Howard Hinnant's `civil_from_days` (years begin in March, eras have 400 years).
  init(nanosecondsSince1970 nanoseconds: Int64) {
    let perDay: Int64 = 86_400_000_000_000
    let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: perDay)
    let days = Int(remainder < 0 ? quotient - 1 : quotient) + 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shifted + 2) / 5 + 1
    month = shifted < 10 ? shifted + 3 : shifted - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }
}
