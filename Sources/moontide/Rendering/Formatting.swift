import FileSessions
import Glibc

/// Numbers as people read them.
enum Format {
  /// `532 B`, `12.4 kB`, `512.0 MB`: powers of 1000.
  static func bytes(_ count: Int64) -> String {
    var value = Double(count)
    guard value >= 1000 else { return "\(count) B" }
    var unit = 0
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    while value >= 999.95, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return "\(tenths(value)) \(units[unit])"
  }

  /// `0.4 s`, `3 min 12 s`, `2 h 5 min`.
  static func duration(_ duration: Duration) -> String {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    if seconds < 60 { return "\(tenths(seconds)) s" }
    let whole = Int(seconds.rounded())
    return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole / 60 % 60) min"
  }

  /// `42 s`, `3 min 12 s`, `2 h 5 min`: what is only guessed at.
  static func remaining(_ duration: Duration) -> String {
    let seconds = min(duration.inSeconds, 1e9)
    return seconds < 59.5 ? "\(Int(seconds.rounded(.up))) s" : Self.duration(.seconds(seconds))
  }

  /// `31 ms`, `12.3 s`.
  static func milliseconds(_ duration: Duration) -> String {
    duration < .seconds(10) ? "\(Int((duration.inSeconds * 1000).rounded())) ms" : Self.duration(duration)
  }

  /// `15:42:31`, by the local clock.
  static func timeOfDay(_ moment: Timestamp) -> String {
    var (seconds, parts) = (time_t(moment.milliseconds / 1000), tm())
    localtime_r(&seconds, &parts)
    return [parts.tm_hour, parts.tm_min, parts.tm_sec].map { ($0 < 10 ? "0" : "") + "\($0)" }
      .joined(separator: ":")
  }

  /// `1 file`, `3 files`.
  static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  private static func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}

extension String {
  /// The text with control characters spelled out, so that a name or a message cannot paint the screen.
  var printable: String {
    guard unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return self }
    var result = ""
    for scalar in unicodeScalars {
      if scalar.properties.generalCategory == .control {
        let hex = String(scalar.value, radix: 16)
        result += "\\x" + (hex.count == 1 ? "0" : "") + hex
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The same, with line breaks and tabs kept.
  var printableLines: String {
    let lines = split(separator: "\n", omittingEmptySubsequences: false)
    return lines.map { line in
      line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0).printable }
        .joined(separator: "\t")
    }.joined(separator: "\n")
  }
}
