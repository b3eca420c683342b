import Workspace

/// The order in which candidates are taken, where it is another than that in which they are found.
package enum CandidateOrder: String, CaseIterable, Sendable {
  /// The latest modification first.
  case newest
  /// The earliest modification first.
  case oldest
  /// The fewest bytes first.
  case smallest

  /// Whether a file with the one stamp comes before one with the other.
  func precedes(_ one: FileStamp, _ other: FileStamp) -> Bool {
    switch self {
    case .newest: one.modified > other.modified
    case .oldest: one.modified < other.modified
    case .smallest: one.size < other.size
    }
  }
}
