/// Text from elsewhere, made fit for a terminal and a log.
enum SafeText {
  /// One line of at most `limit` characters, in which nothing can move a cursor or turn the direction of writing.
  static func line(_ text: String, limit: Int) -> String {
    var line = ""
    var count = 0
    for scalar in text.unicodeScalars {
      guard count < limit else { return line + "…" }
      count += 1
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
        line +=
          scalar == "\n" || scalar == "\r" || scalar == "\t" ? " " : "\\u{\(String(scalar.value, radix: 16))}"
      default:
        line.unicodeScalars.append(scalar)
      }
    }
    return line
  }
}
