import HummingbirdCore

/// One request on its way through the server.
struct Call: Sendable {
  let route: Route
  /// The id in the path, empty where the route has none.
  let target: String
  let query: Query
  let headers: RequestHeaders
  /// Scheme and host under which the client sees the server, for the URLs that it is given.
  let origin: String
}

/// The headers of a request, by their names in lower case.
struct RequestHeaders: Sendable {
  private let fields: [(name: String, value: String)]

  init(_ request: Request) {
    fields = request.headers.map { ($0.name.canonicalName, $0.value) }
  }

  /// The value of a header; the values of one that comes several times, joined by commas as HTTP reads them.
  subscript(name: String) -> String? {
    let values = fields.filter { $0.name == name }.map(\.value)
    return values.isEmpty ? nil : values.joined(separator: ", ")
  }

  /// The announced length of the body; nil when there is none, or none that can be read.
  var contentLength: Int64? {
    self["content-length"].flatMap { Int64($0) }
  }

  /// Whether a body follows the head.
  var announceBody: Bool {
    self["transfer-encoding"] != nil || (contentLength ?? 0) > 0
  }

  /// Whether the sender waits for a `100 Continue` before it sends the body.
  var expectContinue: Bool {
    self["expect"]?.lowercased() == "100-continue"
  }
}
