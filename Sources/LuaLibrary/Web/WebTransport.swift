import LuaHost

/// Whatever carries a script's HTTP requests: a single exchange at a time, and nothing added to it.
///
/// Implementations follow no redirects, keep no cookies, add no credentials, and end soon after the task is
/// cancelled.
package protocol WebTransport: Sendable {
  /// Sends a request and reads its whole answer.
  ///
  /// - Parameter limit: the most bytes of the answer's body; more is `WebError.Code.tooLarge`.
  func exchange(_ request: WebRequest, limit: Int) async throws -> WebResponse
}

/// A request; names and values of headers hold nothing that could end a line.
package struct WebRequest: Hashable, Sendable {
  package var method: String
  package var address: WebAddress
  package var headers: [WebHeader]
  package var body: [UInt8]
}

/// An answer with its whole body.
package struct WebResponse: Hashable, Sendable {
  package var status: Int
  package var headers: [WebHeader]
  package var body: [UInt8]

  package init(status: Int, headers: [WebHeader] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The value of a header that comes once, whatever the case of its name.
  func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name }?.value
  }
}

/// One header field.
package struct WebHeader: Hashable, Sendable {
  package var name: String
  package var value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// A request that got no answer, or none that can be given to the script.
package struct WebError: Error, Hashable, Sendable, CustomStringConvertible, LuaErrorFields {
  package enum Code: String, Sendable, CaseIterable {
    /// The server could not be reached, or the connection broke.
    case connection
    /// It took longer than `timeout`.
    case timeout
    /// The answer is longer than `max_size`.
    case tooLarge = "too_large"
    /// More than five redirects, or one that leads nowhere.
    case redirect
  }

  package let code: Code
  /// The address that was asked, without its query, where secrets may stand.
  package let url: String
  /// What is wrong, and what to do.
  package let message: String

  package init(_ code: Code, _ address: WebAddress, _ message: String) {
    self.code = code
    url = address.origin + String(address.target.prefix { $0 != "?" })
    self.message = message
  }

  package var description: String { "\(escapingControls(url)): \(escapingControls(message))" }

  package func luaField(_ name: String) -> LuaValue? {
    switch name {
    case "kind": "http"
    case "code": .string(code.rawValue)
    case "url": .string(url)
    default: nil
    }
  }
}
