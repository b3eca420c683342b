/// What a `Range` header asks for of a file.
enum ByteRange: Hashable, Sendable {
  /// These bytes, at least one.
  case part(Range<Int64>)
  /// Bytes that are not there: a 416.
  case unsatisfiable

  /// Reads `bytes=0-99`, `bytes=100-` or `bytes=-100`.
  ///
  /// Nil for anything else, several ranges among it: RFC 9110 lets a server send the whole file then.
  init?(_ text: String, of length: Int64) {
    guard text.lowercased().hasPrefix("bytes=") else { return nil }
    let bounds = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
    guard bounds.count == 2 else { return nil }
    let (first, last) = (Self.number(bounds[0]), Self.number(bounds[1]))
    switch (first, last) {
    case (let first?, let last?) where first <= last:
      self = first < length ? .part(first..<min(last, length - 1) + 1) : .unsatisfiable
    case (let first?, nil) where bounds[1].isEmpty:
      self = first < length ? .part(first..<length) : .unsatisfiable
    case (nil, let count?) where bounds[0].isEmpty:
      self = count > 0 && length > 0 ? .part(max(0, length - count)..<length) : .unsatisfiable
    default:
      return nil
    }
  }

  /// A number of digits alone; one beyond 64 bits is as large as can be.
  private static func number(_ text: Substring) -> Int64? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return Int64(text) ?? .max
  }
}
