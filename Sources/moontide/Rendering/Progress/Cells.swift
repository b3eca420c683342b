/// How much room text takes on a terminal.
///
/// Where terminals disagree it is counted as wide: a line that is too short looks odd, one that is too long breaks
/// what is drawn below it.
enum Cells {
  /// The characters that take two cells: the East Asian Width classes W and F of Unicode, with the pictures.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0xA4CF,
    0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60,
    0xFFE0...0xFFE6, 0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1F000...0x1FAFF, 0x20000...0x3FFFD,
  ]

  static func count(_ text: some StringProtocol) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.unicodeScalars.reduce(0) { $0 + count($1) }
  }

  private static func count(_ scalar: Unicode.Scalar) -> Int {
    if scalar.isASCII { return 1 }
    // Asks for the picture of the character before, which is wide then.
    if scalar.value == 0xFE0F { return 1 }
    if wide.contains(where: { $0.contains(scalar.value) }) { return 2 }
    if scalar.properties.isEmojiPresentation { return 2 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    case .format: return scalar.value == 0xAD ? 1 : 0
    default: return (0x1160...0x11FF).contains(scalar.value) ? 0 : 1
    }
  }

  /// The text in just so many cells: its end behind `…` where it is too long, with spaces where it is too short.
  static func fit(_ text: String, _ cells: Int) -> String {
    let width = count(text)
    guard width > cells else { return text + String(repeating: " ", count: cells - width) }
    guard cells > 1 else { return String(repeating: "…", count: max(cells, 0)) }
    var (end, room) = (Substring(), cells - 1)
    for index in text.indices.reversed() {
      let width = count(text[index...index])
      if width > room { break }
      room -= width
      end = text[index...]
    }
    return "…" + end + String(repeating: " ", count: room)
  }

  /// The beginning of the text, in at most so many cells.
  static func cut(_ text: String, _ cells: Int) -> String {
    guard count(text) > cells else { return text }
    var (result, room) = ("", cells)
    for character in text {
      let width = count(String(character))
      if width > room { break }
      room -= width
      result.append(character)
    }
    return result
  }
}
