/// The groups of calls that the service counts apart.
package enum RateCategory: String, CaseIterable, Hashable, Sendable {
  /// What changes something: create, complete, cancel, and the same of meetings.
  case write
  /// What asks for one thing.
  case read
  /// What lists.
  case search
}

/// How many calls a second a process makes at the most, so that others of its organisation have the rest.
///
/// On the command line `write=10`, or several such with commas between them.
package struct RateShares: Hashable, Sendable {
  private var shares: [RateCategory: Int] = [:]

  /// All that the service gives.
  package init() {}

  /// Reads `write=10` and the like, each of which may name several with commas; the last word on a category counts.
  package init(parsing texts: [String]) throws(InvalidRateShare) {
    for item in texts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
      let parts = item.split(separator: "=", maxSplits: 1).map { $0.trimmed }
      guard parts.count == 2, let category = RateCategory(rawValue: parts[0]), let calls = Int(parts[1]),
        (1...Self.most).contains(calls)
      else { throw InvalidRateShare(text: String(item)) }
      shares[category] = calls
    }
  }

  /// The most calls of a category in a second; nil where the service's own limit is the only one. 1 or more.
  package subscript(category: RateCategory) -> Int? {
    get { shares[category] }
    set { shares[category] = newValue.map { max(1, $0) } }
  }

  private static let most = 10_000
}

/// A share that cannot be understood.
package struct InvalidRateShare: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was given.
  package let text: String

  package var description: String {
    "\"\(text)\" is no rate. Write a category and calls a second, such as write=10 (write, read or search)."
  }
}

extension Substring {
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
