/// What a recipe keeps with a job: JSON, which the engine passes on and never looks into.
package struct JobData: Hashable, Sendable {
  /// The most bytes that the JSON may have. It is read with every look at the job; what is larger belongs into a file.
  package static let mostBytes = 65_536

  /// One value as JSON.
  package let json: String

  /// Takes a value as JSON; nil when it is too large.
  package init?(json: String) {
    guard json.utf8.count <= Self.mostBytes else { return nil }
    self.json = json
  }

  /// What was recorded, whatever its size.
  package init(recorded json: String) {
    self.json = json
  }
}
