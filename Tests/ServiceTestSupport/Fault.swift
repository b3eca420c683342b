/// What befalls one exchange on its way through a ``FaultProxy``.
package enum Fault: Hashable, Sendable {
  /// Nothing: it passes as it is.
  case none
  /// The connection is reset as soon as the request's head is there.
  case resetBeforeBody
  /// The connection is reset when so many bytes of the request's body have been passed on.
  case resetDuringBody(after: Int)
  /// The connection is reset after the request's last byte; the server never sees the request.
  case resetAfterBody
  /// The server acts and answers; the connection is reset before the answer's first byte.
  case loseResponse
  /// Nothing is passed on and nothing is answered, for as long as the client waits.
  case stallRequest
  /// So many bytes of the response arrive, and nothing more for as long as the client waits.
  case stallResponse(after: Int)
  /// So many bytes of the response arrive, and then the end of the connection.
  case truncateResponse(after: Int)
  /// Somebody on the way answers in the server's place; the server never sees the request.
  case answer(CannedAnswer)
  /// The server acts, and somebody on the way answers something else.
  case answerAfterwards(CannedAnswer)
}

/// An answer that no server gave.
package struct CannedAnswer: Hashable, Sendable {
  package var status: Int
  package var headers: [String: String]
  package var body: String

  package init(_ status: Int, headers: [String: String] = [:], body: String = "") {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The API's answer to too many requests, with its wait in one of the three forms.
  package static func tooManyRequests(_ headers: [String: String]) -> CannedAnswer {
    CannedAnswer(
      429, headers: headers.merging(["content-type": "application/json"]) { $1 },
      body: #"{"error":{"type":"too_many_requests","message":"Slow down."}}"#)
  }

  /// What a gateway answers for a server that is away: no JSON.
  package static func gateway(_ status: Int) -> CannedAnswer {
    CannedAnswer(status, headers: ["content-type": "text/html"], body: "<html>\(status)</html>")
  }
}
