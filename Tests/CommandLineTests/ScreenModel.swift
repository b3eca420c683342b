/// What a terminal shows of what is written to it, as far as programs of this project go.
///
/// It wraps lines anew when its width changes, as today's terminals do, and keeps the cursor on the character on which
/// it was.
struct ScreenModel {
  /// A line as it was written, however many rows it takes.
  private struct Line {
    var cells: [Character] = []
  }

  private(set) var columns: Int
  private(set) var rows: Int
  private var all: [Line] = [Line()]
  /// The cursor: a line, and a place in it that may be behind its end.
  private var (line, place) = (0, 0)
  private var wraps = true
  private(set) var isCursorVisible = true
  /// Bytes of a character, or of a sequence, that is not whole yet.
  private var pending: [UInt8] = []

  init(columns: Int, rows: Int) {
    (self.columns, self.rows) = (columns, rows)
  }

  mutating func resize(columns: Int, rows: Int) {
    (self.columns, self.rows) = (columns, rows)
  }

  /// The rows that are visible, from the top.
  var lines: [String] {
    var visible: [String] = []
    for line in all {
      let cells = line.cells.count
      for start in stride(from: 0, through: max(cells - 1, 0), by: columns) {
        let row = String(line.cells[start..<min(start + columns, cells)].filter { $0 != Self.shadow })
        visible.append(row.replacing(#/ +$/#, with: ""))
      }
    }
    while visible.last == "" { visible.removeLast() }
    return visible.suffix(rows)
  }

  /// What lies behind a character of two cells.
  private static let shadow: Character = "\u{0}"

  mutating func write(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      pending.append(byte)
      if let whole = whole() {
        pending = []
        take(whole)
      }
    }
  }

  private enum Whole {
    case character(Character)
    case sequence(String)
  }

  private func whole() -> Whole? {
    guard let first = pending.first else { return nil }
    if first == 0x1B {
      guard pending.count > 2, let last = pending.last, (0x40...0x7E).contains(last) else { return nil }
      return .sequence(String(decoding: pending.dropFirst(), as: UTF8.self))
    }
    let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    guard pending.count == length else { return nil }
    return .character(Character(String(decoding: pending, as: UTF8.self)))
  }

  private mutating func take(_ whole: Whole) {
    switch whole {
    case .character("\r"): place -= place % columns
    case .character("\n"): newLine()
    case .character(let character): put(character)
    case .sequence("[K"): all[line].cells.removeSubrange(min(place, all[line].cells.count)...)
    case .sequence("[J"):
      all[line].cells.removeSubrange(min(place, all[line].cells.count)...)
      all.removeSubrange((line + 1)...)
    case .sequence("[?7l"): wraps = false
    case .sequence("[?7h"): wraps = true
    case .sequence("[?25l"): isCursorVisible = false
    case .sequence("[?25h"): isCursorVisible = true
    case .sequence(let text) where text.hasSuffix("A"): up(Int(text.dropFirst().dropLast()) ?? 1)
    case .sequence: break
    }
  }

  /// Up by rows, of which a line may take several.
  private mutating func up(_ count: Int) {
    for _ in 0..<count {
      if place >= columns {
        place -= columns
      } else if line > 0 {
        line -= 1
        place = max(all[line].cells.count - 1, 0) / columns * columns + place
      }
    }
  }

  /// Down by a row.
  private mutating func newLine() {
    let rest = all[line].cells.count - (place - place % columns)
    if rest > columns {
      place += columns
      return
    }
    place %= columns
    line += 1
    if line == all.count { all.append(Line()) }
  }

  private mutating func put(_ character: Character) {
    let width = Self.isWide(character) ? 2 : 1
    // Behind the last column; without wrapping what does not fit is lost.
    let room = columns - (place > 0 && place % columns == 0 ? columns : place % columns)
    if !wraps, width > room { return }
    while all[line].cells.count < place + width { all[line].cells.append(" ") }
    all[line].cells[place] = character
    if width == 2 { all[line].cells[place + 1] = Self.shadow }
    place += width
  }

  private static func isWide(_ character: Character) -> Bool {
    let wide: [ClosedRange<UInt32>] = [0x1100...0x115F, 0x2E80...0xD7A3, 0xFF01...0xFF60, 0x1F000...0x1FAFF]
    return character.unicodeScalars.contains { scalar in wide.contains { $0.contains(scalar.value) } }
  }
}
