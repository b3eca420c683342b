import FileSessions

/// The query of a URL, as it was sent.
struct Query: Sendable {
  private let items: [(name: String, value: String)]

  /// Reads what stands after the `?`. What is not properly escaped is as if it were not there.
  init(_ text: some StringProtocol) {
    items = text.split(separator: "&").compactMap { item in
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decode(parts[0]), let value = Self.decode(parts.count > 1 ? parts[1] : "") else {
        return nil
      }
      return (name, value)
    }
  }

  /// The value of `name`; nil when it is not there, or there more than once.
  subscript(name: String) -> String? {
    let found = items.filter { $0.name == name }
    return found.count == 1 ? found[0].value : nil
  }

  /// A whole number of at least `minimum`, or nil when it is not there; throws a 400 that names it otherwise.
  func number(_ name: String, minimum: Int) throws(ServiceError) -> Int? {
    let found = items.filter { $0.name == name }
    guard let text = found.first?.value else { return nil }
    guard found.count == 1 else {
      throw .invalid(name, code: .invalidValue, "The parameter \(name) is given \(found.count) times.")
    }
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
      throw .invalid(name, code: .invalidType, "The parameter \(name) takes a whole number.")
    }
    // The largest integer that every JSON number can hold, as the published description has it.
    guard let number = Int(text), (minimum...9_007_199_254_740_991).contains(number) else {
      throw .invalid(
        name, code: .invalidValue,
        "The parameter \(name) is \(text.prefix(20)); it must be \(minimum) or more.")
    }
    return number
  }

  /// A part of a query: as forms write it, with `+` for a space.
  private static func decode(_ text: some StringProtocol) -> String? {
    String(text.map { $0 == "+" ? " " : $0 }).percentDecoded
  }
}
