/// A call of a service that has ended, for those who watch. It has no key, no query and no body.
package struct CallRecord: Hashable, Sendable {
  /// Method and path, such as `POST /v1/files`; of bytes on their way only where they go: `PUT https://uploads.example`.
  package var name: String
  /// The answer's status; nil where none came.
  package var status: Int?
  /// The service's id of the request.
  package var requestID: String?
  /// Why there is no answer, or what the embedded service said: a ``ServiceError/Kind``.
  package var error: String?
  /// From the first byte sent to the last received, without waiting for its turn.
  package var duration: Duration

  package init(
    name: String, status: Int? = nil, requestID: String? = nil, error: String? = nil, duration: Duration
  ) {
    self.name = name
    self.status = status
    self.requestID = requestID
    self.error = error
    self.duration = duration
  }
}
