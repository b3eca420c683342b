import FileSessions
import FoundationEssentials

/// A line of the access log: who asked for what and what came of it. It has no header, no query and no body, so
/// neither a key nor a signature can stand in it.
package struct AccessRecord: Hashable, Sendable, Encodable {
  /// When the request came.
  package var time: Timestamp
  /// The request's id, as the answer's `x-request-id` has it.
  package var request: String
  package var method: String
  /// The route, or the path where no route serves it.
  package var path: String
  /// The id in the path.
  package var id: String?
  package var status: Int
  /// The error's type or code.
  package var error: String?
  /// The key's organisation.
  package var organisation: String?
  /// Bytes of bodies.
  package var received: Int64
  package var sent: Int64
  package var milliseconds: Double
  /// The client went away before the answer was sent.
  package var aborted: Bool?

  /// The record as a line of JSON, without the line's end.
  package var line: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  /// Text from a request, cut, without anything that looks like a key.
  static func harmless(_ text: some StringProtocol) -> String {
    let text = String(text.prefix(200))
    return (text.percentDecoded ?? text).contains("sk_") ? "(withheld: it looks like a key)" : text
  }
}
