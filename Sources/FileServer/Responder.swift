import FileSessions
import Hummingbird
import HummingbirdCore
import NIOCore

/// Takes a request from the connection, has it answered, sends the answer, and notes what happened.
struct Responder: Sendable {
  let door: FrontDoor

  /// The pieces in which a file is sent: one must be taken within the idle timeout.
  private static let pieceSize: Int64 = 256 << 10
  /// What is left of a refused request's body, and may be read to its end so that the connection can go on.
  private static let worthReading: Int64 = 64 << 10

  func respond(
    to request: Request, _ writer: consuming ResponseWriter, from channel: any Channel
  ) async throws {
    door.metrics.began()
    let began = door.surroundings.uptime()
    let headers = RequestHeaders(request)
    var (record, route, plan, common) = await decide(about: request, headers, from: channel)
    var canGoOn = canDrain(headers)
    do {
      var answer: Answer
      switch plan {
      case .answer(let ready):
        answer = ready
      case .read(let read):
        if headers.expectContinue {
          try await writer.writeInformationalHead(Response(status: .continue).head)
        }
        let reading = await read(request.body)
        (answer, record.received, canGoOn) = (reading.answer, reading.received, reading.isWhole)
      }
      if !canGoOn { common.append(("connection", "close")) }
      answer.headers += common
      if record.method == "HEAD" { answer.dropBody() }
      record.status = answer.status
      record.error = answer.error.map { $0.code ?? $0.kind.rawValue }
      try await send(answer, to: writer)
      record.sent = answer.bodyLength
    } catch {
      record.aborted = true
    }
    let took = door.surroundings.uptime() - began
    record.milliseconds = (took.inSeconds * 100_000).rounded() / 100
    door.metrics.ended(
      route, status: record.status, received: record.received, sent: record.sent, took: took)
    door.surroundings.record(record)
    // Half an answer must not be followed by another.
    if record.aborted == true { channel.close(promise: nil) }
  }

  /// What is to be done, with the headers that any answer gets and what the log tells so far.
  private func decide(
    about request: Request, _ headers: RequestHeaders, from channel: any Channel
  ) async -> (AccessRecord, Route?, FrontDoor.Plan, [(name: String, value: String)]) {
    let target = (request.head.path ?? "").split(
      separator: "?" as Character, maxSplits: 1, omittingEmptySubsequences: false)
    let (path, method) = (target.first ?? "", request.head.method.rawValue)
    var record = AccessRecord(
      time: door.surroundings.clock.now, request: door.identifiers.identifier("req_"), method: method,
      path: AccessRecord.harmless(path), status: 0, received: 0, sent: 0, milliseconds: 0)
    var common = [("x-request-id", record.request), ("date", HTTPDate.text(record.time))]
    switch Route.match(method: method, path: path) {
    case .route(let route, let id):
      record.path = route.path
      if !id.isEmpty { record.id = AccessRecord.harmless(id) }
      let call = Call(
        route: route, target: id, query: Query(target.count > 1 ? target[1] : ""), headers: headers,
        origin: origin(of: request, channel))
      let (plan, headers, organisation) = await door.plan(call)
      record.organisation = organisation
      return (record, route, plan, common + headers)
    case .otherMethods(let methods):
      let known = methods.joined(separator: ", ")
      common.append(("allow", known))
      let refusal = ServiceError(
        .badRequest, "The path takes \(known), not \(AccessRecord.harmless(method)).", status: 405,
        code: "method_not_allowed")
      return (record, nil, .answer(Answer(refusal)), common)
    case .nothing:
      let refusal = ServiceError(.notFound, "Nothing is served at this path.")
      return (record, nil, .answer(Answer(refusal)), common)
    }
  }

  /// Whether the connection can go on although the body was not read: what is left is little, and will come.
  private func canDrain(_ headers: RequestHeaders) -> Bool {
    guard headers.announceBody else { return true }
    // Who waits for `100 Continue` may send the body after a refusal, or not: only a new connection is clear.
    guard !headers.expectContinue, let length = headers.contentLength else { return false }
    return length <= Self.worthReading
  }

  private func origin(of request: Request, _ channel: any Channel) -> String {
    if let url = door.configuration.publicURL { return url }
    let scheme = door.configuration.tls == nil ? "http" : "https"
    let host = request.head.authority ?? ""
    let isHost =
      !host.isEmpty && host.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"/?#@\\\"<>".utf8.contains($0) }
    if isHost { return "\(scheme)://\(host)" }
    let address = channel.localAddress
    return
      "\(scheme)://\(address?.ipAddress ?? door.configuration.host):\(address?.port ?? door.configuration.port)"
  }

  private func send(_ answer: Answer, to writer: consuming ResponseWriter) async throws {
    var response = Response(status: .init(code: answer.status))
    response.headers = HTTPFields()
    for (name, value) in answer.headers {
      guard let name = HTTPFields.Element.Name(name) else { continue }
      response.headers.append(HTTPFields.Element(name: name, value: value))
    }
    if response.headers[.contentLength] == nil, answer.status != 304 {
      response.headers[.contentLength] = String(answer.length ?? answer.bodyLength)
    }
    switch answer.body {
    case .none:
      try await writer.writeResponse(response.head)
    case .bytes(let bytes):
      try await writer.write(
        response: response.head, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    case .file(let file, let range):
      let body = ResponseBody(contentLength: Int(range.upperBound - range.lowerBound)) { writer in
        var offset = range.lowerBound
        while offset < range.upperBound {
          let count = min(range.upperBound - offset, Self.pieceSize)
          let piece = try await file.read(at: offset, count: Int(count))
          try await writer.write(ByteBuffer(bytes: piece))
          offset += Int64(piece.count)
        }
        try await writer.finish(nil)
      }
      try await writer.write(response: response.head, body: body)
    }
  }
}
