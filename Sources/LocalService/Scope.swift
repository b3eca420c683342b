import FileSessions

/// A permission of a key, as the API spells it, such as `files:create`.
package struct Scope: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  package let rawValue: String

  package init(rawValue: String) {
    self.rawValue = rawValue
  }

  /// To open, fill, complete and cancel sessions.
  package static let filesCreate = Scope(rawValue: "files:create")
  /// To look at sessions and fetch files.
  package static let filesRead = Scope(rawValue: "files:read")
  /// To record meetings.
  package static let meetingsCreate = Scope(rawValue: "meetings:create")
  /// To look at meetings.
  package static let meetingsRead = Scope(rawValue: "meetings:read")
  /// To attach transcripts to meetings, and to change who sees them.
  package static let meetingsUpdate = Scope(rawValue: "meetings:update")

  /// The scopes that this service knows.
  package static let known: [Scope] = [
    .filesCreate, .filesRead, .meetingsCreate, .meetingsRead, .meetingsUpdate,
  ]

  /// The scopes of a list such as `files:create,files:read`; a 400 when one is unknown or none is there.
  ///
  /// An empty list is an error because an empty set of scopes means everything.
  package static func parse(_ list: String) throws(ServiceError) -> Set<Scope> {
    let scopes = Set(
      list.split(whereSeparator: { $0 == "," || $0 == " " }).map { Scope(rawValue: String($0)) })
    guard !scopes.isEmpty else {
      throw .invalid(
        "scopes", code: .invalidValue,
        "No scope is named. \(knownOnes) Leave scopes out for a key to everything.")
    }
    try check(scopes)
    return scopes
  }

  /// Throws a 400 that names the known ones when one of `scopes` is not known.
  static func check(_ scopes: Set<Scope>) throws(ServiceError) {
    guard let unknown = scopes.subtracting(known).map(\.rawValue).min() else { return }
    throw .invalid("scopes", code: .invalidValue, "There is no scope \"\(unknown)\". \(knownOnes)")
  }

  private static var knownOnes: String {
    "Known: \(known.map(\.rawValue).joined(separator: ", "))."
  }

  package var description: String { rawValue }
}
