import Workspace

/// Candidates kept in little memory until all are known, to be taken in an order.
///
/// One takes 40 bytes and its path's; a million of them with paths of usual length take less than 100 MB.
struct CandidateShelf {
  private struct Item {
    var stamp: FileStamp
    /// Where the path's text is.
    var piece: UInt32
    var offset: UInt32
    var length: UInt32
    /// How much of its end is the path below the discover root.
    var relative: UInt32
  }

  private static let pieceSize = 1 << 20

  /// The paths one after the other, in pieces: to make a long array longer takes the memory of both.
  private var texts: [[UInt8]] = []
  private var items: [Item] = []
  /// What comes with a few of them, by their numbers.
  private var data: [UInt32: JobData] = [:]
  private var order: [UInt32] = []
  private var taken = 0

  /// Adds one; `relative` is the path's end.
  mutating func add(_ candidate: Candidate) {
    let text = candidate.path.string.utf8
    if texts.isEmpty || texts[texts.count - 1].count + text.count > Self.pieceSize {
      texts.append([])
      texts[texts.count - 1].reserveCapacity(max(Self.pieceSize, text.count))
    }
    let piece = texts.count - 1
    data[UInt32(items.count)] = candidate.data
    items.append(
      Item(
        stamp: candidate.stamp, piece: UInt32(piece), offset: UInt32(texts[piece].count),
        length: UInt32(text.count), relative: UInt32(min(candidate.relative.utf8.count, text.count))))
    texts[piece].append(contentsOf: text)
  }

  /// Puts them in order; what is equal stays as it was found.
  mutating func sort(_ wanted: CandidateOrder) {
    order = (0..<UInt32(items.count)).map { $0 }
    let items = items
    order.sort { one, other in
      let (left, right) = (items[Int(one)].stamp, items[Int(other)].stamp)
      return wanted.precedes(left, right) || (!wanted.precedes(right, left) && one < other)
    }
  }

  /// The next ones, none at the end.
  mutating func take(_ limit: Int, profile: String, recipe: String) -> [Candidate] {
    let numbers = order[taken..<min(order.count, taken + limit)]
    taken += numbers.count
    return numbers.compactMap { number in
      let item = items[Int(number)]
      let text = texts[Int(item.piece)][Int(item.offset)..<Int(item.offset + item.length)]
      // It was a path before.
      guard let path = try? ProjectPath(bytes: text) else { return nil }
      return Candidate(
        key: JobKey(profile: profile, recipe: recipe, path: path),
        relative: String(decoding: text.suffix(Int(item.relative)), as: UTF8.self), stamp: item.stamp,
        data: data[number])
    }
  }
}
