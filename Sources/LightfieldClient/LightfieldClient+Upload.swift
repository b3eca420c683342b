import AsyncHTTPClient
import FileSessions
import NIOHTTP1

extension LightfieldClient {
  /// Sends the bytes straight to the upload URL, with the headers that belong to it and no credentials.
  ///
  /// The answer of the storage decides; its classes beside the usual ones are `objectExists` (412) and
  /// `uploadRefused` (403: the signature has run out). A source that is shorter or longer than it was is `source`.
  package func upload(
    _ opened: OpenedSession, _ source: any ByteSource
  ) async throws(ServiceError) -> Receipt {
    guard case .presigned(let text, let headers) = opened.target else {
      throw ServiceError(
        .unexpected, "The session \(opened.session.id) belongs to the embedded service, not to \(origin).")
    }
    let url = try ServiceURL(text, as: "The upload URL of \(opened.session.id)")
    let reader = UploadReader(source, name: opened.session.filename)
    var message = HTTPClientRequest(url: url.text)
    message.method = .PUT
    for (name, value) in headers where name.lowercased() != "content-length" {
      message.headers.add(name: name, value: value)
    }
    message.body = .stream(UploadBody(reader: reader), length: .known(reader.length))
    let answer = try await send(message, to: url, reader)
    guard answer.isSuccess else {
      let error = refusal.uploadError(answer, host: url.origin)
      configuration.logger.debug("PUT \(url.origin) failed", metadata: error.metadata)
      throw error
    }
    guard reader.bytesSent == reader.length, let receipt = reader.receipt else {
      throw ServiceError(
        .unexpected,
        "\(url.origin) answered \(answer.status) before all bytes of \(opened.session.id) were sent.",
        status: answer.status)
    }
    return receipt
  }

  private func send(
    _ message: HTTPClientRequest, to url: ServiceURL, _ reader: UploadReader
  ) async throws(ServiceError) -> Answer {
    let watch = StallWatch(clock: steadyClock, limit: configuration.stallTimeout)
    var call = Timed(name: "PUT \(url.origin)")
    call.begins(at: steadyClock.now)
    let error: ServiceError
    do {
      let answer = try await watch.run(
        progress: { reader.bytesSent }, isDone: { reader.bytesSent >= reader.length },
        isHeld: { reader.isHeld }
      ) { [transport] in
        let response = try await transport.begin(message, to: url, within: nil)
        return try await transport.finish(response, limit: Self.longestError, cuts: true)
      }
      note(call, answer)
      return answer
    } catch is StallWatch.Stalled {
      error = failure(
        ServiceError(
          .unreachable,
          "\(url.origin) took no bytes for \(configuration.stallTimeout.inSeconds) seconds."),
        of: "PUT", host: url.origin)
    } catch let reason {
      error = reader.failure ?? failure(reason, of: "PUT", host: url.origin)
    }
    note(call, error)
    throw error
  }
}
