/// The headers that the `PUT` of a session's bytes carries, no more and no less: they are part of its signature.
struct UploadHeaders: Hashable, Sendable {
  var contentType: String
  /// `if-none-match: *`: bytes that are there are never replaced.
  var refusesOverwrite: Bool

  /// As `uploadHeaders` of the API has them.
  var fields: [String: String] {
    var fields = ["content-type": contentType]
    if refusesOverwrite { fields["if-none-match"] = "*" }
    return fields
  }

  /// Whether a text can be a header's value: no control characters, no space around it, ASCII.
  static func canCarry(_ value: String) -> Bool {
    value.utf8.allSatisfy { (0x20...0x7E).contains($0) } && value.first != " " && value.last != " "
  }
}
